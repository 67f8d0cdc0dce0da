// The JSON of a safetensors header: the one shape of it that the format allows, nothing more general.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fanin/safetensors.hpp"
#include "message.hpp"

namespace fanin::detail {

struct HeaderEntry {
    std::string name, dtype;
    std::vector<std::size_t> shape;
    std::size_t begin = 0, end = 0;
};

// Throws std::invalid_argument with `where` before the reason. Never looks beyond the text, never recurses.
class HeaderReader {
 public:
    HeaderReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

    void read(std::vector<HeaderEntry>& entries, Metadata& metadata) {
        bool metadata_seen = false;
        members([&](std::string name) {
            if (name != "__metadata__") return entries.push_back(entry(std::move(name)));
            if (metadata_seen) fail("__metadata__ stands twice");
            metadata_seen = true;
            members([&](std::string key) {
                std::string value = string();
                if (!metadata.emplace(key, std::move(value)).second) fail("'" + key + "' stands twice in __metadata__");
            });
        });
        space();
        if (at_ != text_.size()) fail("characters follow the header's last brace");
    }

    [[noreturn]] void fail(const std::string& reason) const { refuse({where_, reason}); }

 private:
    void space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    bool take(char c) {
        space();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!take(c)) fail(std::string("the header lacks '") + c + "' at byte " + std::to_string(at_));
    }
    template <class Member>
    void members(Member&& member) {
        expect('{');
        if (take('}')) return;
        do {
            std::string name = string();
            expect(':');
            member(std::move(name));
        } while (take(','));
        expect('}');
    }
    std::size_t number() {
        space();
        std::size_t value = 0;
        const char* const begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (error != std::errc()) fail("the header lacks a whole number below 2^64 at byte " + std::to_string(at_));
        at_ += static_cast<std::size_t>(end - begin);
        return value;
    }
    std::vector<std::size_t> numbers() {
        std::vector<std::size_t> all;
        expect('[');
        if (take(']')) return all;
        do all.push_back(number());
        while (take(','));
        expect(']');
        return all;
    }
    HeaderEntry entry(std::string name) {
        HeaderEntry out;
        out.name = std::move(name);
        int dtypes = 0, shapes = 0, ranges = 0;
        members([&](const std::string& key) {
            if (key == "dtype") {
                out.dtype = string();
                ++dtypes;
            } else if (key == "shape") {
                out.shape = numbers();
                ++shapes;
            } else if (key == "data_offsets") {
                const std::vector<std::size_t> range = numbers();
                if (range.size() != 2) fail("data_offsets of '" + out.name + "' must be two numbers");
                out.begin = range[0];
                out.end = range[1];
                ++ranges;
            } else {
                fail("tensor '" + out.name + "' has an unknown key '" + key + "'");
            }
        });
        if (dtypes != 1 || shapes != 1 || ranges != 1)
            fail("tensor '" + out.name + "' must have one dtype, one shape and one data_offsets");
        return out;
    }

    unsigned hex4() {
        if (text_.size() - at_ < 4) fail("the header ends inside a text");
        unsigned value = 0;
        const char* const begin = text_.data() + at_;
        if (std::from_chars(begin, begin + 4, value, 16).ptr != begin + 4)
            fail("a text has a wrong \\u at byte " + std::to_string(at_));
        at_ += 4;
        return value;
    }
    static void append_utf8(std::string& out, unsigned c) {
        const auto byte = [&](unsigned b) { out += static_cast<char>(b); };
        if (c < 0x80) return byte(c);
        if (c < 0x800) {
            byte(0xC0 | c >> 6);
        } else {
            if (c < 0x10000) byte(0xE0 | c >> 12);
            else {
                byte(0xF0 | c >> 18);
                byte(0x80 | (c >> 12 & 0x3F));
            }
            byte(0x80 | (c >> 6 & 0x3F));
        }
        byte(0x80 | (c & 0x3F));
    }
    void escape(std::string& out) {
        if (at_ >= text_.size()) fail("the header ends inside a text");
        const char c = text_[at_++];
        static constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
        if (const std::size_t i = kNames.find(c); i != std::string_view::npos) {
            out += kValues[i];
        } else if (c == 'u') {
            unsigned code = hex4();
            if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
                at_ += 2;
                const unsigned low = hex4();
                if (low < 0xDC00 || low > 0xDFFF) fail("a text has half a surrogate pair");
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            } else if (code >= 0xD800 && code < 0xE000) {
                fail("a text has half a surrogate pair");
            }
            append_utf8(out, code);
        } else {
            fail("a text has an unknown escape at byte " + std::to_string(at_ - 1));
        }
    }
    // Length of the UTF-8 sequence at at_: 0 where there is none (overlong forms and surrogates are none).
    std::size_t utf8_length() const {
        const auto byte = [&](std::size_t i) {
            return at_ + i < text_.size() ? static_cast<unsigned char>(text_[at_ + i]) : 0u;
        };
        const unsigned first = byte(0), second = byte(1);
        const std::size_t n = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
        for (std::size_t i = 1; i < n; ++i)
            if ((byte(i) & 0xC0) != 0x80) return 0;
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
        if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
        return n;
    }
    std::string string() {
        expect('"');
        std::string out;
        while (true) {
            if (at_ >= text_.size()) fail("the header ends inside a text");
            const char c = text_[at_];
            if (c == '"') break;
            if (static_cast<unsigned char>(c) < 0x20) fail("a text has a control character at byte " + std::to_string(at_));
            if (c == '\\') {
                ++at_;
                escape(out);
                continue;
            }
            const std::size_t n = utf8_length();
            if (n == 0) fail("a text is not UTF-8 at byte " + std::to_string(at_));
            out.append(text_, at_, n);
            at_ += n;
        }
        ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string where_;
};

}  // namespace fanin::detail
