// Rows of one raw table: the keys that its events are known to have, and the columns that they fill.
#pragma once

#include <algorithm>
#include <array>

#include "column.hpp"
#include "rule.hpp"
#include "suppression.hpp"

namespace headwater {

// One key at one place of the event. What no key is known for is Odd: Python learns it first.
struct Key {
    std::string name;
    Column* column = nullptr;  // of its scalars and arrays
    const Rule* rule = nullptr;
    std::vector<std::unique_ptr<Key>> children;
    ByText<Key*> by_name;
    bool keeps_nulls = false;  // whether it matters that it, or a key in it, is null
    std::string null_name;     // what it is called then; empty until Python has named it
    int64_t last_row = -1;     // in which it was seen: a key that comes twice is Odd
    std::vector<std::string> identifies;  // as which types its value is looked up in `suppression`
    int64_t last_said = -1;    // in which it said something: neither null nor an empty object

    // The child called `text`; `hint` is where it stands if keys come in the order of last time.
    Key* find(Text text, size_t& hint) {
        if (hint < children.size() && children[hint]->name == text) return children[hint++].get();
        const auto found = by_name.find(text);
        if (found == by_name.end()) return nullptr;
        for (hint = 0; hint < children.size() && children[hint].get() != found->second;) ++hint;
        return children[hint++].get();
    }

    Key* child(Text text) {
        size_t hint = children.size();
        if (Key* const known = find(text, hint)) return known;
        children.push_back(std::make_unique<Key>());
        Key* const added = children.back().get();
        added->name = text;
        added->rule = rule ? rule->child(text) : nullptr;
        added->keeps_nulls = keeps_nulls;
        by_name.emplace(text, added);
        return added;
    }
};

// The columns that every row has, in this order; the last is the event's name, or the other id.
enum Fixed { ID, ANONYMOUS_ID, USER_ID, RECEIVED_AT, SENT_AT, ORIGINAL_AT, STATED_AT, SOURCE, SEQ,
             OWN, RAW, REQUEST, PARTS, STATED_TEXT, NULLS, FIXED_COUNT };

// What PARTS tells of a row, a bit each: whether its context says something of these.
constexpr Text CONTEXT_PARTS[] = {"browser", "os", "device", "location"};

struct Table {
    Table(std::unique_ptr<Rule> contract, const Suppression& forgotten)
        : rule(std::move(contract)), suppression(forgotten) {
        static constexpr Type types[FIXED_COUNT] = {
            Type::TEXT, Type::TEXT, Type::TEXT, Type::TIMESTAMP, Type::TIMESTAMP, Type::TIMESTAMP,
            Type::TIMESTAMP, Type::INT, Type::INT, Type::TEXT, Type::TEXT, Type::INT, Type::INT, Type::TEXT,
            Type::TEXT};
        for (const Type type : types) fixed.emplace_back(type);
    }

    std::unique_ptr<Rule> rule;  // of the whole event; may be null
    const Suppression& suppression;
    std::vector<std::pair<int, const Rule*>> field_rules;  // of its top-level fields
    Key outer, body, context;    // outer: name and category of a page or screen
    std::vector<Column> fixed;
    ByText<std::unique_ptr<Column>> columns;
    int64_t rows = 0;
    std::vector<Text> nulls;     // of the row that is being written

    // The keys that CONTEXT_PARTS names, null where none is known.
    std::array<Key*, std::size(CONTEXT_PARTS)> parts{};

    void find_parts() {
        for (size_t i = 0; i < parts.size(); ++i) {
            size_t hint = 0;
            parts[i] = context.find(CONTEXT_PARTS[i], hint);
        }
    }

    Column* column(const std::string& name, Type type) {
        auto& found = columns[name];
        if (!found) found = std::make_unique<Column>(type);
        return found.get();
    }

    // The names of the row's keys that were null, as a JSON array: sorted, each once. What a name is
    // made of needs no escape.
    void put_nulls() {
        if (nulls.empty()) return;
        std::sort(nulls.begin(), nulls.end());
        nulls.erase(std::unique(nulls.begin(), nulls.end()), nulls.end());
        std::string text;
        for (const Text name : nulls) (text += text.empty() ? "[\"" : ",\"").append(name) += '"';
        fixed[NULLS].put_plain(rows, text += ']');
        nulls.clear();
    }

    // Forgets what was put into the row that is being written.
    void undo_row() {
        nulls.clear();
        for (Column& column : fixed) column.cut(rows);
        for (auto& [name, column] : columns) column->cut(rows);
    }

    // Everything that stands in an object, put into the columns of its keys.
    void put_object(Cursor& cursor, Key& parent, int64_t stamp) {
        size_t hint = 0, required = 0;
        cursor.expect('{');
        cursor.skip_blanks();
        if (!cursor.take('}')) {
            do {
                cursor.skip_blanks();
                const Scalar name = cursor.string();
                if (name.escaped) throw Odd{};
                cursor.skip_blanks();
                cursor.expect(':');
                cursor.skip_blanks();
                required += put_member(cursor, parent, name.text, hint, stamp);
                cursor.skip_blanks();
            } while (cursor.take(','));
            cursor.expect('}');
        }
        check_object(parent.rule, required);
    }

    static void check_object(const Rule* rule, size_t required) {
        if (rule == nullptr) return;
        rule->check_kind(OBJECT);
        if (required < rule->required_children) throw Odd{};
    }

    void put_scalar(Key& key, const Scalar& value) {
        if (key.rule) key.rule->check(value);
        if (value.kind == NONE) return;
        if (key.column == nullptr) throw Odd{};
        if (!key.identifies.empty()) suppression.check(key.identifies, value);
        if (key.column->rows() > rows) {
            if (!key.column->last_equals(value)) throw Odd{};  // another key of this row was first
        } else {
            key.column->put(rows, value);
        }
    }

private:
    // One member of an object; 1 if its contract requires it.
    size_t put_member(Cursor& cursor, Key& parent, Text name, size_t& hint, int64_t stamp) {
        Key* const key = parent.find(name, hint);
        if (key == nullptr) return skip_unknown(cursor, parent, name);
        if (key->last_row == stamp) throw Odd{};
        key->last_row = stamp;
        if (key->rule == nullptr && parent.rule && parent.rule->closed) throw Odd{};
        const char* const begin = cursor.position();
        const char first = cursor.peek();
        switch (first) {
            case '{': put_object(cursor, *key, stamp); break;
            case '[': put_array(cursor, *key); break;
            default: put_scalar(*key, cursor.scalar());
        }
        if (first == 'n') note_null(*key);
        else if (Text(begin, cursor.position() - begin) != "{}") key->last_said = stamp;
        return key->rule && key->rule->required;
    }

    void put_array(Cursor& cursor, Key& key) {
        const Text text = PlainValue::array(cursor, key.rule);
        if (key.column == nullptr || key.column->rows() > rows) throw Odd{};
        if (!key.identifies.empty()) throw Odd{};
        key.column->put_plain(rows, text);
    }

    void note_null(const Key& key) {
        if (!key.keeps_nulls) return;
        if (key.null_name.empty()) throw Odd{};
        nulls.push_back(key.null_name);
    }

    // A key that nothing is known of may say nothing: null, or an empty object.
    static size_t skip_unknown(Cursor& cursor, const Key& parent, Text name) {
        const Rule* const rule = parent.rule;
        const Rule* const inner = rule ? rule->child(name) : nullptr;
        if (rule && rule->closed && inner == nullptr) throw Odd{};
        if (inner && inner->required) throw Odd{};
        if (cursor.take('{')) {
            cursor.expect('}');
            check_object(inner, 0);
        } else {
            const Scalar value = cursor.scalar();
            if (value.kind != NONE || parent.keeps_nulls) throw Odd{};
            if (inner) inner->check(value);
        }
        return 0;
    }
};

}  // namespace headwater
