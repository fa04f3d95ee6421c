// A contract's rules in the form in which a value is checked while it is read.
//
// They are a part of JSON Schema draft-07, made by loader/load/rules.py. A value that breaks one, or
// that stands where a rule beyond that part stands, is Odd: the judge in Python says what it means.
#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <vector>

#include "text.hpp"

namespace headwater {

struct TextHash {
    using is_transparent = void;  // a Text is looked up as it is, without a copy
    size_t operator()(Text text) const { return std::hash<Text>{}(text); }
};

template <typename Value>
using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

struct Rule {
    uint8_t kinds = 0xFF;         // of values that may stand here
    bool needs_judge = false;     // there are rules that only the judge knows
    bool closed = false;          // an object has no keys but those of `children`
    bool required = false;        // of its object
    bool has_choices = false;     // the value is one of `texts`, `numbers` and `literals`
    double minimum = -INFINITY, maximum = INFINITY;
    uint8_t literals = 0;         // 1 null, 2 false, 4 true
    std::vector<std::string> texts;
    std::vector<double> numbers;
    ByText<std::unique_ptr<Rule>> children;
    size_t required_children = 0;
    std::unique_ptr<Rule> items;  // of an array

    const Rule* child(Text key) const {
        const auto found = children.find(key);
        return found == children.end() ? nullptr : found->second.get();
    }

    void check_kind(Kind kind) const {
        if (!(kinds & kind) || needs_judge) throw Odd{};
        if (has_choices && (kind == OBJECT || kind == ARRAY)) throw Odd{};
    }

    void check(const Scalar& value) const {
        check_kind(value.kind);
        if (value.kind == INT || value.kind == FLOAT) {
            if (std::abs(value.number) > static_cast<double>(MAX_EXACT_INT) && has_bounds()) throw Odd{};
            if (!(value.number >= minimum && value.number <= maximum)) throw Odd{};
        }
        if (has_choices && !is_choice(value)) throw Odd{};
    }

private:
    bool has_bounds() const { return has_choices || minimum > -INFINITY || maximum < INFINITY; }

    bool is_choice(const Scalar& value) const {
        switch (value.kind) {
            case STRING:
                return !value.escaped && std::find(texts.begin(), texts.end(), value.text) != texts.end();
            case INT:
            case FLOAT: return std::find(numbers.begin(), numbers.end(), value.number) != numbers.end();
            case BOOL: return literals & (value.integer ? 4 : 2);
            default: return literals & 1;
        }
    }
};

// Reads an array, or what stands in one, and gives its text if JSON can't be written shorter: no
// blanks, no escapes, no key twice, numbers in their shortest form. `rule` may be null.
class PlainValue {
public:
    static Text array(Cursor& cursor, const Rule* rule) {
        const char* const begin = cursor.position();
        read(cursor, rule, 0);
        return Text(begin, cursor.position() - begin);
    }

private:
    static constexpr int MAX_DEPTH = 16;
    static constexpr size_t MAX_KEYS = 48;

    static void read(Cursor& cursor, const Rule* rule, int depth) {
        if (depth > MAX_DEPTH) throw Odd{};
        switch (cursor.peek()) {
            case '[': return read_array(cursor, rule, depth);
            case '{': return read_object(cursor, rule, depth);
            default: break;
        }
        const Scalar value = cursor.scalar();
        if (value.escaped && !is_shortest_string(value.text)) throw Odd{};
        if (value.kind == FLOAT && !is_shortest(value)) throw Odd{};
        if (rule) rule->check(value);
    }

    static void read_array(Cursor& cursor, const Rule* rule, int depth) {
        if (rule) rule->check_kind(ARRAY);
        const Rule* const items = rule ? rule->items.get() : nullptr;
        cursor.expect('[');
        if (cursor.take(']')) return;
        do read(cursor, items, depth + 1);
        while (cursor.take(','));
        cursor.expect(']');
    }

    static void read_object(Cursor& cursor, const Rule* rule, int depth) {
        if (rule) rule->check_kind(OBJECT);
        Text keys[MAX_KEYS];
        size_t count = 0, required = 0;
        cursor.expect('{');
        if (!cursor.take('}')) {
            do {
                const Scalar key = cursor.string();
                if (key.escaped || count == MAX_KEYS) throw Odd{};
                for (size_t i = 0; i < count; ++i)
                    if (keys[i] == key.text) throw Odd{};
                keys[count++] = key.text;
                cursor.expect(':');
                const Rule* const inner = rule ? rule->child(key.text) : nullptr;
                if (rule && rule->closed && !inner) throw Odd{};
                if (inner && inner->required) ++required;
                read(cursor, inner, depth + 1);
            } while (cursor.take(','));
            cursor.expect('}');
        }
        if (rule && required < rule->required_children) throw Odd{};
    }
};

}  // namespace headwater
