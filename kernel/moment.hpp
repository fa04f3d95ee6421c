// Times in ISO 8601 with a zone, as microseconds of UTC since 1970.
#pragma once

#include "text.hpp"

namespace headwater {

inline bool two_digits(const char* at, int& value) {
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9') return false;
    value = (at[0] - '0') * 10 + (at[1] - '0');
    return true;
}

// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March.
inline int64_t days_from_civil(int year, int month, int day) {
    const int march_year = month <= 2 ? year - 1 : year;
    const int era = march_year / 400, of_era = march_year % 400;
    const int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return int64_t{era} * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

inline int days_in_month(int year, int month) {
    static constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

// `YYYY-MM-DDThh:mm:ss[.f…]` and `Z` or `±hh:mm`, one to six digits of fraction, years 1000 to 9998;
// false for anything else, which may still be a time that another parser knows.
inline bool parse_moment(Text text, int64_t& microseconds) {
    int century, year, month, day, hour, minute, second;
    if (text.size() < 20) return false;
    const char* const at = text.data();
    if (!two_digits(at, century) || !two_digits(at + 2, year) || !two_digits(at + 5, month) ||
        !two_digits(at + 8, day) || !two_digits(at + 11, hour) || !two_digits(at + 14, minute) ||
        !two_digits(at + 17, second))
        return false;
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':') return false;
    year += century * 100;
    if (year < 1000 || year > 9998 || month < 1 || month > 12 || day < 1) return false;
    if (day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) return false;
    size_t place = 19;
    int64_t fraction = 0;
    if (text[place] == '.') {
        int64_t unit = 100'000;
        for (++place; place < text.size() && text[place] >= '0' && text[place] <= '9'; ++place) {
            fraction += unit * (text[place] - '0');
            unit /= 10;
        }
        if (place == 20 || place > 26) return false;
    }
    int offset = 0;
    const Text zone = text.substr(place);
    if (zone != "Z") {
        int hours, minutes;
        if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return false;
        if (!two_digits(zone.data() + 1, hours) || !two_digits(zone.data() + 4, minutes)) return false;
        if (hours > 23 || minutes > 59) return false;
        offset = (hours * 60 + minutes) * (zone[0] == '-' ? -60 : 60);
    }
    const int64_t seconds =
        days_from_civil(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second - offset;
    microseconds = seconds * 1'000'000 + fraction;
    return true;
}

}  // namespace headwater
