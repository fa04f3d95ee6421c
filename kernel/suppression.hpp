// Who was forgotten, as loader/ledger/suppression.py has it: hashes of identifiers, by type.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sha256.hpp"

namespace headwater {

class Suppression {
public:
    // From now on whoever has one of `digests`, made with `key` of an identifier of type `type`.
    void add(Text key, const std::string& type, const std::vector<std::string>& digests) {
        hash_ = HmacSha256(key);
        digests_[type].insert(digests.begin(), digests.end());
    }

    // An event with an identifier of somebody who was forgotten is Odd.
    void check(const std::string& type, Text value) const {
        if (digests_.empty() || value.empty()) return;
        const auto found = digests_.find(type);
        if (found == digests_.end()) return;
        std::string text = type + ':';
        text += value;
        if (found->second.count(hash_.digest(text))) throw Odd{};
    }

    // The same of a value that may be any of `types`; what is not plain text is for Python to read.
    void check(const std::vector<std::string>& types, const Scalar& value) const {
        if (value.kind == NONE || value.kind == BOOL) return;
        const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
        if (value.kind != STRING || value.escaped || !std::all_of(value.text.begin(), value.text.end(), is_ascii))
            throw Odd{};
        for (const auto& type : types)
            if (type == "email") check(type, Text(lowered(value.text)));
            else check(type, value.text);
    }

private:
    HmacSha256 hash_;
    std::unordered_map<std::string, std::unordered_set<std::string>> digests_;

    static std::string lowered(Text text) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        std::string found(text);
        for (char& c : found)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 'a' - 'A');
        return found;
    }
};

}  // namespace headwater
