// MD5 (RFC 1321) of short texts: the keys under which loader/ledger remembers ids.
#pragma once

#include <array>
#include <bit>
#include <cmath>

#include "text.hpp"

namespace headwater {

class Md5 {
public:
    static constexpr size_t SIZE = 16;

    // Writes the digest of `text` to `out`.
    static void digest(Text text, char* out) {
        State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
        const uint64_t bits = uint64_t{text.size()} * 8;
        for (; text.size() >= BLOCK; text.remove_prefix(BLOCK)) add(state, text.data());
        char rest[2 * BLOCK] = {};
        std::memcpy(rest, text.data(), text.size());
        rest[text.size()] = '\x80';
        const size_t end = text.size() < BLOCK - 8 ? BLOCK : 2 * BLOCK;
        for (size_t i = 0; i < 8; ++i) rest[end - 8 + i] = static_cast<char>(bits >> (8 * i));
        for (size_t at = 0; at < end; at += BLOCK) add(state, rest + at);
        for (size_t i = 0; i < SIZE; ++i) out[i] = static_cast<char>(state[i / 4] >> (8 * (i % 4)));
    }

private:
    static constexpr size_t BLOCK = 64;
    using State = std::array<uint32_t, 4>;

    static const std::array<uint32_t, 64>& sines() {
        static const auto table = [] {
            std::array<uint32_t, 64> found{};
            for (size_t i = 0; i < 64; ++i)
                found[i] = static_cast<uint32_t>(std::fabs(std::sin(double(i + 1))) * 4294967296.0);
            return found;
        }();
        return table;
    }

    static void add(State& state, const char* block) {
        static constexpr int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
        const auto& sine = sines();
        std::array<uint32_t, 16> words;
        for (size_t i = 0; i < 16; ++i) {
            const auto* byte = reinterpret_cast<const unsigned char*>(block) + 4 * i;
            words[i] = byte[0] | byte[1] << 8 | byte[2] << 16 | uint32_t{byte[3]} << 24;
        }
        auto [a, b, c, d] = state;
        for (size_t i = 0; i < 64; ++i) {
            uint32_t mixed;
            size_t word;
            switch (i / 16) {
                case 0: mixed = (b & c) | (~b & d); word = i; break;
                case 1: mixed = (d & b) | (~d & c); word = (5 * i + 1) % 16; break;
                case 2: mixed = b ^ c ^ d; word = (3 * i + 5) % 16; break;
                default: mixed = c ^ (b | ~d); word = 7 * i % 16;
            }
            const uint32_t sum = a + mixed + sine[i] + words[word];
            a = d;
            d = c;
            c = b;
            b += std::rotl(sum, turns[i / 16][i % 4]);
        }
        state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
    }
};

}  // namespace headwater
