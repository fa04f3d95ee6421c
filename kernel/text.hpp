// JSON text read strictly, in place: strings, numbers, and where a value ends.
//
// Whatever is not plainly well-formed is `Odd`: the caller gives the whole event to the Python path,
// which judges it exactly. So a doubt is always answered with Odd, and never with a guess.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace headwater {

using Text = std::string_view;

struct Odd {};  // thrown: this event is not for the kernel

enum Kind : uint8_t { NONE = 1, BOOL = 2, INT = 4, FLOAT = 8, STRING = 16, OBJECT = 32, ARRAY = 64 };

constexpr int64_t MAX_EXACT_INT = int64_t{1} << 53;  // beyond it a double skips whole numbers

struct Scalar {
    Kind kind;
    Text text;             // between the quotes, or the literal itself
    bool escaped = false;  // a string with a backslash in it
    int64_t integer = 0;   // of INT, and 0 or 1 of BOOL
    double number = 0;     // of INT and FLOAT; of an INT beyond MAX_EXACT_INT, one that is near
};

class Cursor {
public:
    explicit Cursor(Text text) : at_(text.data()), end_(text.data() + text.size()) {}

    const char* position() const { return at_; }

    bool at_end() const { return at_ == end_; }

    char peek() const {
        if (at_ == end_) throw Odd{};
        return *at_;
    }

    void skip_blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '\n')) ++at_;
    }

    bool take(char wanted) {
        if (at_ == end_ || *at_ != wanted) return false;
        ++at_;
        return true;
    }

    void expect(char wanted) {
        if (!take(wanted)) throw Odd{};
    }

    // A string, its opening quote included; valid UTF-8 without control characters.
    Scalar string();

    // A string, number, true, false or null.
    Scalar scalar();

    // Any value, of which only its end is looked for; whether it is well-formed is left open.
    Text skip_value();

    // Any value, read whole and forgotten.
    void check_value(int depth = 0);

private:
    Scalar number();
    void skip_string();
    void literal(const char* word, size_t size);

    const char* at_;
    const char* end_;
};

// Of eight bytes at once, a word that has a high bit where one is a quote or a backslash, or (perhaps)
// behind that.
constexpr uint64_t ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;

inline uint64_t load_word(const char* at) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    return word;
}

inline uint64_t ends_string(uint64_t word) {
    const uint64_t quote = word ^ (ONES * '"'), slash = word ^ (ONES * '\\');
    return (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) & HIGHS;
}

// The same, and where one is a control character or not ASCII.
inline uint64_t has_special(uint64_t word) {
    return ends_string(word) | ((((word - ONES * 0x20) & ~word) | word) & HIGHS);
}

inline bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The bytes of the UTF-8 character at `at`, 0 if there is none (overlong, a surrogate, cut off).
inline int utf8_size(const char* at, const char* end) {
    const auto* byte = reinterpret_cast<const unsigned char*>(at);
    const auto left = end - at;
    if (byte[0] < 0x80) return 1;
    if (byte[0] >= 0xC2 && byte[0] <= 0xDF) return left >= 2 && is_continuation(byte[1]) ? 2 : 0;
    if (byte[0] >= 0xE0 && byte[0] <= 0xEF) {
        if (left < 3 || !is_continuation(byte[1]) || !is_continuation(byte[2])) return 0;
        if (byte[0] == 0xE0 && byte[1] < 0xA0) return 0;
        return byte[0] == 0xED && byte[1] > 0x9F ? 0 : 3;
    }
    if (byte[0] < 0xF0 || byte[0] > 0xF4 || left < 4) return 0;
    if (!is_continuation(byte[1]) || !is_continuation(byte[2]) || !is_continuation(byte[3])) return 0;
    if (byte[0] == 0xF0 && byte[1] < 0x90) return 0;
    return byte[0] == 0xF4 && byte[1] > 0x8F ? 0 : 4;
}

inline Scalar Cursor::string() {
    expect('"');
    const char* const begin = at_;
    bool escaped = false;
    for (;;) {
        while (end_ - at_ >= 8 && !has_special(load_word(at_))) at_ += 8;
        const char c = peek();
        if (c == '"') break;
        if (static_cast<unsigned char>(c) < 0x20) throw Odd{};
        if (c == '\\') {
            escaped = true;
            if (end_ - at_ < 2) throw Odd{};
            at_ += 2;
            continue;
        }
        const int size = utf8_size(at_, end_);
        if (size == 0) throw Odd{};
        at_ += size;
    }
    return {STRING, Text(begin, at_++ - begin), escaped};
}

inline Scalar Cursor::scalar() {
    switch (peek()) {
        case '"': return string();
        case 't': literal("true", 4); return {BOOL, "true", false, 1};
        case 'f': literal("false", 5); return {BOOL, "false", false, 0};
        case 'n': literal("null", 4); return {NONE, "null"};
        default: return number();
    }
}

inline void Cursor::literal(const char* word, size_t size) {
    if (static_cast<size_t>(end_ - at_) < size || std::memcmp(at_, word, size) != 0) throw Odd{};
    at_ += size;
}

inline Scalar Cursor::number() {
    const char* const begin = at_;
    const auto digits = [this] {
        const char* const first = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
        if (at_ == first) throw Odd{};
        return at_ - first;
    };
    take('-');
    const bool begins_with_zero = at_ != end_ && *at_ == '0';
    if (digits() > 1 && begins_with_zero) throw Odd{};
    bool is_int = true;
    if (take('.')) {
        is_int = false;
        digits();
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
        is_int = false;
        ++at_;
        if (!take('+')) take('-');
        digits();
    }
    const Text text(begin, at_ - begin);
    Scalar found{is_int ? INT : FLOAT, text};
    if (is_int) {
        const auto parsed = std::from_chars(begin, at_, found.integer);
        if (parsed.ec != std::errc{}) throw Odd{};  // beyond 64 bits
        if (found.integer == 0 && *begin == '-') throw Odd{};
        found.number = static_cast<double>(found.integer);
    } else {
        const auto parsed = std::from_chars(begin, at_, found.number);
        if (parsed.ec != std::errc{} || parsed.ptr != at_) throw Odd{};
    }
    return found;
}

inline void Cursor::skip_string() {
    expect('"');
    for (;;) {
        while (end_ - at_ >= 8 && !ends_string(load_word(at_))) at_ += 8;
        const char c = peek();
        ++at_;
        if (c == '"') return;
        if (c == '\\') {
            peek();
            ++at_;
        }
    }
}

inline Text Cursor::skip_value() {
    const char* const begin = at_;
    if (peek() == '"') {
        skip_string();
        return Text(begin, at_ - begin);
    }
    if (peek() != '{' && peek() != '[') {
        scalar();
        return Text(begin, at_ - begin);
    }
    int depth = 0;
    for (;;) {
        switch (peek()) {
            case '"':
                skip_string();
                continue;
            case '{':
            case '[':
                ++depth;
                break;
            case '}':
            case ']':
                if (--depth == 0) return Text(begin, ++at_ - begin);
                break;
            default:
                break;
        }
        ++at_;
    }
}

inline void append_decoded(Text text, std::string& out);

inline void Cursor::check_value(int depth) {
    constexpr int max_depth = 32;
    if (depth > max_depth) throw Odd{};
    const bool is_object = peek() == '{';
    if (!is_object && peek() != '[') {
        const Scalar value = scalar();
        std::string ignored;
        if (value.escaped) append_decoded(value.text, ignored);
        return;
    }
    const char close = is_object ? '}' : ']';
    ++at_;
    skip_blanks();
    if (take(close)) return;
    do {
        skip_blanks();
        if (is_object) {
            if (string().escaped) throw Odd{};
            skip_blanks();
            expect(':');
            skip_blanks();
        }
        check_value(depth + 1);
        skip_blanks();
    } while (take(','));
    expect(close);
}

// Whether the shortest text of this number is the very text that it came as: fifteen digits and less
// name a double uniquely, and nothing in them could be left out or written another way.
inline bool is_shortest(const Scalar& number) {
    if (number.kind == INT) return true;
    Text text = number.text;
    if (text.front() == '-') text.remove_prefix(1);
    const auto point = text.find('.');
    if (point == Text::npos || text.find_first_of("eE") != Text::npos) return false;
    if (text.size() > 16 || text.back() == '0') return false;
    return text.front() != '0' || text.substr(0, 5) != "0.000";
}

// Whether nothing in a string is escaped that needs no escape, or that has a shorter one.
inline bool is_shortest_string(Text text) {
    for (auto at = text.find('\\'); at != Text::npos; at = text.find('\\', at + 2))
        if (Text("\"\\bfnrt").find(text[at + 1]) == Text::npos) return false;
    return true;
}

inline unsigned hex4(Text text) {
    unsigned code = 0;
    if (text.size() < 4) throw Odd{};
    const auto parsed = std::from_chars(text.data(), text.data() + 4, code, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + 4) throw Odd{};
    return code;
}

inline void append_utf8(unsigned code, std::string& out) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

// Appends what a string says: its text with each escape replaced by its character.
inline void append_decoded(Text text, std::string& out) {
    static constexpr char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    for (size_t at = 0; at < text.size();) {
        const auto slash = text.find('\\', at);
        out.append(text.substr(at, slash - at));
        if (slash == Text::npos) return;
        const char letter = text[slash + 1];
        at = slash + 2;
        if (letter != 'u') {
            const char* const place = letter ? std::strchr(named, letter) : nullptr;
            if (place == nullptr) throw Odd{};
            out += meant[place - named];
            continue;
        }
        unsigned code = hex4(text.substr(at));
        at += 4;
        if (code >= 0xD800 && code < 0xE000) {  // half of a pair: the other half has to follow
            if (code >= 0xDC00 || text.substr(at, 2) != "\\u") throw Odd{};
            const unsigned low = hex4(text.substr(at + 2));
            if (low < 0xDC00 || low > 0xDFFF) throw Odd{};
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        }
        append_utf8(code, out);
    }
}

}  // namespace headwater
