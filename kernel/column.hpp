// The values of one column, appended row by row; what is skipped is null.
#pragma once

#include <vector>

#include "moment.hpp"

namespace headwater {

enum class Type : uint8_t { TEXT, INT, FLOAT, BOOL, TIMESTAMP };

struct Column {
    explicit Column(Type type) : type(type) {}

    Type type;
    bool has_big_ints = false;     // INT that will never be FLOAT: whatever 64 bits hold is exact
    std::vector<uint8_t> valid;    // a byte a row
    std::vector<int64_t> ints;     // of INT, BOOL and TIMESTAMP
    std::vector<double> floats;    // of FLOAT
    std::vector<int32_t> ends{0};  // of TEXT: where each row's bytes end
    std::string bytes;

    int64_t rows() const { return static_cast<int64_t>(valid.size()); }

    // Whether the last row is `row` and has a value.
    bool has(int64_t row) const { return rows() == row + 1 && valid.back(); }

    // The value of `row`, which no row after it has yet. Odd, with nothing changed, if it doesn't fit.
    void put(int64_t row, const Scalar& value) {
        switch (type) {
            case Type::TEXT: return put_text(row, value);
            case Type::INT:
                if (value.kind != INT || (is_big(value) && !has_big_ints)) throw Odd{};
                fill(row);
                ints.push_back(value.integer);
                break;
            case Type::FLOAT:
                if ((value.kind != INT && value.kind != FLOAT) || is_big(value)) throw Odd{};
                fill(row);
                floats.push_back(value.number);
                break;
            case Type::BOOL:
                if (value.kind != BOOL) throw Odd{};
                fill(row);
                ints.push_back(value.integer);
                break;
            case Type::TIMESTAMP: {
                int64_t moment;
                if (value.kind != STRING || value.escaped || !parse_moment(value.text, moment)) throw Odd{};
                fill(row);
                ints.push_back(moment);
                break;
            }
        }
        valid.push_back(1);
    }

    // Text that needs no decoding: a number's, an array's, a name.
    void put_plain(int64_t row, Text text) {
        if (type != Type::TEXT) throw Odd{};
        fill(row);
        bytes.append(text);
        ends.push_back(static_cast<int32_t>(bytes.size()));
        valid.push_back(1);
    }

    void put_number(int64_t row, int64_t number) {
        fill(row);
        ints.push_back(number);
        valid.push_back(1);
    }

    // The last row's text.
    Text last() const {
        const auto begin = ends[ends.size() - 2];
        return Text(bytes).substr(begin, ends.back() - begin);
    }

    bool last_equals(const Scalar& value) const {
        return type == Type::TEXT && value.kind == STRING && !value.escaped && last() == value.text;
    }

    // Room for as much as `earlier` held.
    void reserve(const Column& earlier) {
        valid.reserve(earlier.valid.size());
        ints.reserve(earlier.ints.size());
        floats.reserve(earlier.floats.size());
        ends.reserve(earlier.ends.size());
        bytes.reserve(earlier.bytes.size());
    }

    // Nulls up to `row`, which is left out.
    void fill(int64_t row) {
        if (rows() == row) return;
        const auto count = static_cast<size_t>(row);
        valid.resize(count, 0);
        switch (type) {
            case Type::TEXT: ends.resize(count + 1, ends.back()); break;
            case Type::FLOAT: floats.resize(count, 0); break;
            default: ints.resize(count, 0);
        }
    }

    // Forgets `row` and what came after it.
    void cut(int64_t row) {
        if (rows() > row) fill(row);
        if (type == Type::TEXT) bytes.resize(static_cast<size_t>(ends.back()));
    }

private:
    static bool is_big(const Scalar& value) {
        return value.integer > MAX_EXACT_INT || value.integer < -MAX_EXACT_INT;
    }

    void put_text(int64_t row, const Scalar& value) {
        if (value.kind == FLOAT && !is_shortest(value)) throw Odd{};
        if (!value.escaped) return put_plain(row, value.text);
        fill(row);
        append_decoded(value.text, bytes);  // what it leaves when it throws is cut with the row
        ends.push_back(static_cast<int32_t>(bytes.size()));
        valid.push_back(1);
    }
};

}  // namespace headwater
