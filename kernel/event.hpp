// The envelope of one event: its top-level fields, each found once, and none of them unknown.
#pragma once

#include <array>

#include "rule.hpp"

namespace headwater {

enum Field : int { MESSAGE_ID, TYPE, EVENT, ANONYMOUS, USER, GROUP, PREVIOUS, RECEIVED, SENT, ORIGINAL,
                   STATED, NAME, CATEGORY, PROPERTIES, TRAITS, CONTEXT, WRITE_KEY, INTEGRATIONS,
                   UNSTORED, FIELD_COUNT };

enum Call : int { TRACK, IDENTIFY, PAGE, SCREEN, GROUP_CALL, ALIAS, CALL_COUNT };

constexpr Text CALLS[CALL_COUNT] = {"track", "identify", "page", "screen", "group", "alias"};

constexpr Text FIELD_NAMES[FIELD_COUNT] = {
    "messageId", "type", "event", "anonymousId", "userId", "groupId", "previousId", "receivedAt",
    "sentAt", "originalTimestamp", "timestamp", "name", "category", "properties", "traits", "context",
    "writeKey", "integrations", ""};

constexpr Text UNSTORED_NAMES[] = {"channel", "version", "projectId", "_metadata"};

inline const ByText<Field>& fields_by_name() {
    static const ByText<Field> fields = [] {
        ByText<Field> found;
        for (int field = 0; field < UNSTORED; ++field)
            found.emplace(FIELD_NAMES[field], static_cast<Field>(field));
        for (const Text name : UNSTORED_NAMES) found.emplace(name, UNSTORED);
        return found;
    }();
    return fields;
}

struct Envelope {
    Text text;
    std::array<Text, FIELD_COUNT> values{};  // JSON, empty where the field is missing
    bool is_odd = true;
    Call call = TRACK;
    Text key_begin, key_end;  // the text before and behind the member "writeKey"

    bool has(Field field) const { return !values[field].empty() && values[field] != "null"; }

    bool has_object(Field field) const { return has(field) && values[field].front() == '{'; }

    // A string without escapes; "" if the field is missing or null.
    Text string(Field field) const {
        if (!has(field)) return {};
        Cursor cursor(values[field]);
        const Scalar found = cursor.string();
        if (found.escaped) throw Odd{};
        return found.text;
    }

    // Finds every field of an event; `order` is that of the fields of the one before.
    void read(Text event, std::vector<Field>& order) {
        text = event;
        values.fill({});
        key_begin = key_end = {};
        Cursor cursor(text);
        cursor.skip_blanks();
        cursor.expect('{');
        size_t place = 0;
        do read_field(cursor, order, place++);
        while (cursor.take(','));
        cursor.expect('}');
        cursor.skip_blanks();
        if (!cursor.at_end()) throw Odd{};
        for (const Field field : {PROPERTIES, TRAITS, CONTEXT, INTEGRATIONS})
            if (has(field) && !has_object(field)) throw Odd{};
    }

private:
    static Field field_of(Text name, std::vector<Field>& order, size_t place) {
        const bool is_guessed = place < order.size() && order[place] < UNSTORED;
        if (is_guessed && FIELD_NAMES[order[place]] == name) return order[place];
        const auto known = fields_by_name().find(name);
        const Field found = known == fields_by_name().end() ? FIELD_COUNT : known->second;
        if (place >= order.size()) order.resize(place + 1, UNSTORED);
        if (found < UNSTORED) order[place] = found;
        return found;
    }

    void read_field(Cursor& cursor, std::vector<Field>& order, size_t place) {
        const char* const begin = cursor.position();
        cursor.skip_blanks();
        const Scalar name = cursor.string();
        const Field field = field_of(name.text, order, place);
        cursor.skip_blanks();
        cursor.expect(':');
        cursor.skip_blanks();
        const Text value = cursor.skip_value();
        cursor.skip_blanks();
        if (field == FIELD_COUNT) {
            if (name.escaped || (value != "null" && value != "{}")) throw Odd{};
            return;  // an unknown field that says nothing
        }
        if (field == UNSTORED || field == WRITE_KEY) Cursor(value).check_value();
        if (field == UNSTORED) return;
        if (!values[field].empty()) throw Odd{};
        values[field] = value;
        if (field == WRITE_KEY) {
            if (begin[-1] != ',') throw Odd{};
            key_begin = Text(text.data(), begin - 1 - text.data());
            key_end = Text(cursor.position(), text.data() + text.size() - cursor.position());
        }
    }
};

}  // namespace headwater
