// Reads events in two steps: first their envelopes, so that their ids can be looked up, then the rows
// of those that are wanted. An event that is Odd leaves nothing behind.
#pragma once

#include <optional>
#include <unordered_set>

#include "event.hpp"
#include "md5.hpp"
#include "table.hpp"

namespace headwater {

constexpr int NO_SOURCE = -1;

// What a request says for all of its events.
struct Request {
    bool is_odd = false;
    int source = NO_SOURCE;                // known to the collector
    std::optional<std::string> call;       // the path's
    std::optional<int64_t> received_at;    // instead of what the event says
    std::optional<int64_t> sent_at;        // where the event says nothing
    std::string ip;                        // of the sender, "" if unknown
    bool is_browser = false;               // the sender's address is the event's
};

constexpr size_t MAX_EVENT_BYTES = 32 * 1024;

// Step one: the envelopes of events, and what their requests said. It looks at `texts`, which have to
// outlive it, and at nothing else, so that one thread may scan while another one takes.
class Scan {
public:
    std::vector<Envelope> envelopes;
    std::string keys;               // of each event's id, one after another; zeros where it is Odd
    std::vector<int> owners;        // each event's request; empty: all came with the first
    std::vector<Request> requests;

    Scan(const std::vector<Text>& texts, std::vector<int> given_owners, std::vector<Request> given)
        : envelopes(texts.size()), keys(texts.size() * Md5::SIZE, '\0'), owners(std::move(given_owners)), requests(std::move(given)) {
        std::vector<Field> order;
        for (size_t i = 0; i < texts.size(); ++i) {
            Envelope& envelope = envelopes[i];
            try {
                if (texts[i].size() > MAX_EVENT_BYTES || request(i).is_odd) throw Odd{};
                envelope.read(texts[i], order);
                const Text id = envelope.string(MESSAGE_ID);
                if (id.empty()) throw Odd{};
                envelope.call = call_of(envelope, request(i));
                Md5::digest(id, &keys[i * Md5::SIZE]);
                envelope.is_odd = false;
            } catch (const Odd&) {
            }
        }
    }

    size_t owner(size_t event) const { return owners.empty() ? 0 : static_cast<size_t>(owners[event]); }

    const Request& request(size_t event) const { return requests[owner(event)]; }

private:
    static Call call_of(const Envelope& envelope, const Request& request) {
        Text name = envelope.string(TYPE);
        if (name.empty() && request.call) name = *request.call;
        for (int call = 0; call < CALL_COUNT; ++call)
            if (CALLS[call] == name) return static_cast<Call>(call);
        throw Odd{};
    }
};

class Reader {
public:
    ByText<Table*> events;                      // by a track event's name
    std::array<Table*, CALL_COUNT> calls{};     // of the other calls
    ByText<int> sources;                        // by write key
    int default_source = 0;                     // of events without a write key
    int unknown_source = NO_SOURCE;             // of events with another's
    std::optional<int> only_source;             // whatever the write key
    std::unordered_set<std::string> client_libraries;
    std::unordered_set<std::string> suppressed_users, suppressed_devices;  // their events are Odd
    Suppression suppression;                    // and so are those of who was forgotten
    int64_t now = INT64_MAX;                    // what was received later is Odd, and so before 1970
    int64_t raw_since = INT64_MAX;              // the JSON is kept of what was received from then on

    // A table whose events have to keep `contract` (of the whole event; null: none).
    // With `keeps_nulls` its rows tell which traits were null.
    Table* add_table(std::unique_ptr<Rule> contract, bool keeps_nulls) {
        tables_.push_back(std::make_unique<Table>(std::move(contract), suppression));
        Table* const table = tables_.back().get();
        table->body.keeps_nulls = keeps_nulls;
        if (const Rule* const rule = table->rule.get()) {
            table->body.rule = rule->child("body");
            table->context.rule = rule->child("context");
            for (int field = MESSAGE_ID; field <= CATEGORY; ++field)
                if (const Rule* const own = rule->child(FIELD_NAMES[field]))
                    if (field != TYPE) table->field_rules.emplace_back(field, own);
        }
        return table;
    }

    // Step two, for each event that is wanted: whether it was taken. What is stored of its request is
    // twice its number, counted from `first_request`, and one more if its address is the event's.
    void take(const Scan& scan, std::string& flags, int64_t first_seq, int first_request) {
        for (size_t i = 0; i < scan.envelopes.size(); ++i) {
            const Envelope& envelope = scan.envelopes[i];
            const bool is_wanted = flags[i] && !envelope.is_odd;
            flags[i] = 0;
            if (!is_wanted) continue;
            Table* table = nullptr;
            try {
                table = table_of(envelope);
                if (table == nullptr) continue;
                ++stamp_;
                const bool has_ip = put(*table, envelope, scan.request(i));
                const auto request = first_request + 2 * static_cast<int64_t>(scan.owner(i)) + has_ip;
                table->fixed[REQUEST].put_number(table->rows, request);
                table->fixed[SEQ].put_number(table->rows, first_seq + static_cast<int64_t>(i));
                ++table->rows;
                flags[i] = 1;
            } catch (const Odd&) {
                if (table != nullptr) table->undo_row();
            }
        }
    }

private:
    std::vector<std::unique_ptr<Table>> tables_;
    int64_t stamp_ = 0;

    Table* table_of(const Envelope& envelope) const {
        if (envelope.call != TRACK) return calls[envelope.call];
        if (!envelope.has(EVENT) || envelope.values[EVENT].front() != '"') return nullptr;
        Cursor cursor(envelope.values[EVENT]);
        const auto found = events.find(cursor.string().text);
        return found == events.end() ? nullptr : found->second;
    }

    int source_of(const Envelope& envelope, const Request& request) const {
        if (request.source != NO_SOURCE) return request.source;
        if (only_source) return *only_source;
        const Text key = envelope.string(WRITE_KEY);
        if (key.empty()) return default_source;
        const auto found = sources.find(key);
        const int source = found == sources.end() ? unknown_source : found->second;
        if (source == NO_SOURCE) throw Odd{};
        return source;
    }

    // Fills the row of one event; whether its request's address is its own.
    bool put(Table& table, const Envelope& envelope, const Request& said) {
        check_fields(table, envelope);
        put_fixed(table, envelope, said);
        const bool is_view = envelope.call == PAGE || envelope.call == SCREEN;
        const Field body = envelope.call == IDENTIFY || envelope.call >= GROUP_CALL ? TRAITS : PROPERTIES;
        const Field other = body == TRAITS ? PROPERTIES : TRAITS;
        if (envelope.has(other) && envelope.values[other] != "{}") throw Odd{};
        for (const Field field : {NAME, CATEGORY}) {
            if (!envelope.has(field)) continue;
            Key* const key = is_view ? find(table.outer, FIELD_NAMES[field]) : nullptr;
            if (key == nullptr) throw Odd{};
            Cursor cursor(envelope.values[field]);
            table.put_scalar(*key, cursor.scalar());
        }
        put_part(table, envelope, body, table.body);
        table.put_nulls();
        put_part(table, envelope, CONTEXT, table.context);
        const bool gets_ip = !said.ip.empty() && (said.is_browser || comes_from_client(table));
        if (gets_ip) put_ip(table, said.ip);
        table.fixed[PARTS].put_number(table.rows, parts_of(table));
        const Column& received_at = table.fixed[RECEIVED_AT];
        if (!received_at.has(table.rows) || received_at.ints.back() >= raw_since) put_raw(table, envelope);
        return gets_ip;
    }

    int64_t parts_of(Table& table) const {
        int64_t parts = 0, bit = 1;
        for (const Key* const key : table.parts) {
            if (key != nullptr && key->last_said == stamp_) parts |= bit;
            bit <<= 1;
        }
        return parts;
    }

    void put_part(Table& table, const Envelope& envelope, Field field, Key& root) {
        if (!envelope.has(field)) return Table::check_object(root.rule, 0);
        Cursor cursor(envelope.values[field]);
        table.put_object(cursor, root, stamp_);
    }

    // The rules of the contract for what stands beside properties, traits and context.
    static void check_fields(const Table& table, const Envelope& envelope) {
        if (envelope.has(INTEGRATIONS)) Cursor(envelope.values[INTEGRATIONS]).check_value();
        if (!table.rule) return;
        table.rule->check_kind(OBJECT);
        for (const auto& [field, rule] : table.field_rules) {
            const Text value = envelope.values[static_cast<size_t>(field)];
            if (value.empty()) {
                if (rule->required) throw Odd{};
            } else {
                Cursor cursor(value);
                rule->check(cursor.scalar());
            }
        }
    }

    void put_fixed(Table& table, const Envelope& envelope, const Request& said) {
        const int64_t row = table.rows;
        auto& fixed = table.fixed;
        fixed[ID].put_plain(row, envelope.string(MESSAGE_ID));
        const Text anonymous = envelope.string(ANONYMOUS), user = envelope.string(USER);
        if (anonymous.empty() && user.empty()) throw Odd{};
        if (is_in(suppressed_users, user) || is_in(suppressed_devices, anonymous)) throw Odd{};
        suppression.check("user_id", user);
        suppression.check("anonymous_id", anonymous);
        if (!anonymous.empty()) fixed[ANONYMOUS_ID].put_plain(row, anonymous);
        if (!user.empty()) fixed[USER_ID].put_plain(row, user);
        if (said.received_at) fixed[RECEIVED_AT].put_number(row, *said.received_at);
        else put_moment(fixed[RECEIVED_AT], row, envelope, RECEIVED);
        if (fixed[RECEIVED_AT].has(row)) {
            const int64_t received_at = fixed[RECEIVED_AT].ints.back();
            if (received_at < 0 || received_at > now) throw Odd{};
        }
        put_moment(fixed[SENT_AT], row, envelope, SENT);
        if (said.sent_at && !envelope.has(SENT)) fixed[SENT_AT].put_number(row, *said.sent_at);
        put_moment(fixed[ORIGINAL_AT], row, envelope, ORIGINAL);
        put_moment(fixed[STATED_AT], row, envelope, STATED);
        if (fixed[STATED_AT].has(row) && fixed[ORIGINAL_AT].has(row) &&
            fixed[STATED_AT].ints.back() != fixed[ORIGINAL_AT].ints.back())
            fixed[STATED_TEXT].put_plain(row, envelope.string(STATED));  // perhaps in no column
        fixed[SOURCE].put_number(row, source_of(envelope, said));
        for (const auto& [field, call] : {std::pair{EVENT, TRACK}, {GROUP, GROUP_CALL}, {PREVIOUS, ALIAS}}) {
            const Text value = envelope.string(field);
            if (envelope.call == call) {
                if (call == ALIAS && (is_in(suppressed_users, value) || is_in(suppressed_devices, value)))
                    throw Odd{};
                if (call == ALIAS)
                    for (const char* const type : {"user_id", "anonymous_id"}) suppression.check(type, value);
                if (!value.empty()) fixed[OWN].put_plain(row, value);
            } else if (envelope.has(field)) {
                throw Odd{};  // not a field of this call
            }
        }
    }

    static bool is_in(const std::unordered_set<std::string>& ids, Text id) {
        return !ids.empty() && ids.count(std::string(id)) > 0;
    }

    static void put_moment(Column& column, int64_t row, const Envelope& envelope, Field field) {
        if (!envelope.has(field)) return;
        Cursor cursor(envelope.values[field]);
        column.put(row, cursor.scalar());
    }

    static Key* find(Key& parent, Text name) {
        size_t hint = 0;
        return parent.find(name, hint);
    }

    // The rule of loader/event/envelope.py: whether the event says that an app sent it itself.
    bool comes_from_client(Table& table) const {
        const auto in_row = [&table](Key* key) {
            return key != nullptr && key->column != nullptr && key->column->has(table.rows);
        };
        Key* const direct = find(table.context, "direct");
        if (in_row(direct)) {
            if (direct->column->type != Type::BOOL) throw Odd{};
            if (direct->column->ints.back()) return true;
        }
        Key* const library = find(table.context, "library");
        Key* const name = library ? find(*library, "name") : nullptr;
        if (!in_row(name)) return false;
        if (name->column->type != Type::TEXT) throw Odd{};
        return client_libraries.count(std::string(name->column->last())) > 0;
    }

    static void put_ip(Table& table, const std::string& ip) {
        Key* const key = find(table.context, "ip");
        if (key == nullptr || key->column == nullptr) throw Odd{};
        if (key->column->rows() > table.rows) {
            if (!key->column->has(table.rows) || key->column->last().empty()) throw Odd{};
            return;  // the event says it itself
        }
        table.put_scalar(*key, {STRING, ip});
    }

    static void put_raw(Table& table, const Envelope& envelope) {
        Column& raw = table.fixed[RAW];
        if (envelope.values[WRITE_KEY].empty()) return raw.put_plain(table.rows, envelope.text);
        raw.fill(table.rows);
        raw.bytes.append(envelope.key_begin);
        raw.put_plain(table.rows, envelope.key_end);
    }
};

}  // namespace headwater
