// `safetensors`: what is written is read, by this reader; what is damaged, foreign or cut short is refused; networks and
// optimizers go on from files bit for bit.
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#include "check.hpp"
#include "fanin/network.hpp"
#include "fanin/random.hpp"
#include "fanin/safetensors.hpp"
#include "parameters.hpp"

namespace {

using fanin::Activation;
using fanin::Loss;
using fanin::Network;
using fanin::SafeTensors;
using fanin::Tensor;

struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("fanin-" + std::to_string(std::random_device{}()));
    Folder() { std::filesystem::create_directory(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const char* name) const { return (path / name).string(); }
    std::size_t files() const { return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
};

std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
void put(const std::string& path, const std::string& header, const std::string& data) {
    std::string length(8, '\0');
    for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
    put(path, length + header + data);
}

template <class T>
std::span<const std::byte> bytes(const std::vector<T>& v) {
    return std::as_bytes(std::span(v));
}

void written_is_read() {
    const Folder folder;
    const std::string path = folder.file("a.safetensors");
    const std::vector<float> f{1, -0.0f, NAN, 4, 5, 6};
    const std::vector<std::int64_t> i{-1, 7};
    const Tensor tensors[] = {{"0.weight", "F32", {2, 3}, bytes(f)},
                              {"e", "F64", {0, 9}, {}},
                              {"\"\\\n \xc3\xa9", "I64", {2}, bytes(i)},
                              {"scalar", "I64", {}, bytes(i).first(8)}};
    const fanin::Metadata metadata{{"k", "v \"quoted\" \x01 \xf0\x9f\x98\x80"}, {"", ""}};
    fanin::write_safetensors(path, tensors, metadata);
    const SafeTensors file(path);
    CHECK(file.metadata() == metadata);
    CHECK(file.tensors().size() == 4);
    for (const Tensor& tensor : tensors) {
        const Tensor* found = file.find(tensor.name);
        CHECK(found != nullptr && found->dtype == tensor.dtype && found->shape == tensor.shape);
        CHECK(found != nullptr && std::ranges::equal(found->bytes, tensor.bytes));
    }
    CHECK(file.find("weight") == nullptr);
    CHECK_THROWS(file.tensor("weight"), std::invalid_argument);
    CHECK(contents(path).size() % 8 == 0 && folder.files() == 1);

    // Refused before anything is written; a failure leaves what was there.
    const std::string before = contents(path);
    const Tensor twice[] = {tensors[0], tensors[0]}, wrong[] = {{"a", "F32", {7}, bytes(f)}}, odd[] = {{"a", "X", {}, {}}};
    CHECK_THROWS(fanin::write_safetensors(path, twice, {}), std::invalid_argument);
    CHECK_THROWS(fanin::write_safetensors(path, wrong, {}), std::invalid_argument);
    CHECK_THROWS(fanin::write_safetensors(path, odd, {}), std::invalid_argument);
    CHECK_THROWS(fanin::write_safetensors(folder.file("no/a"), tensors, {}), std::system_error);
    std::filesystem::create_directory(folder.file("d"));
    CHECK_THROWS(fanin::write_safetensors(folder.file("d"), tensors, {}), std::system_error);
    CHECK(contents(path) == before && folder.files() == 2);
    CHECK_THROWS(SafeTensors{folder.file("d")}, std::system_error);
    CHECK_THROWS(SafeTensors{folder.file("none")}, std::system_error);
}

void headers() {
    const Folder folder;
    const std::string path = folder.file("a");
    const auto tensors = [&](const std::string& header, std::size_t data) {
        put(path, header, std::string(data, 'x'));
        return SafeTensors(path).tensors().size();
    };
    CHECK(tensors("{}", 0) == 0);
    CHECK(tensors("{ \"a\" : {\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\"} }  ", 4) == 1);
    CHECK(
        tensors(R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                7) == 2);
    CHECK(tensors(R"({"\u00e9\ud83d\ude00":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0) == 1);
    CHECK(SafeTensors(path).tensors()[0].name == "\xc3\xa9\xf0\x9f\x98\x80");
    const std::string a = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
    const char* const bad[] = {
        "",
        "[]",
        "nul",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1}",
        "{\"a\":{}}",
        "{\"a",
        "{\"a\\",
        "{\"a\\u12",
        "{\"\xff\":1}",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}} x)",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"more":1}})",
        R"({"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})",
        R"({"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
        R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})",
        R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[2,0]}})",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1,2]}})",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
        R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})",
        R"({"__metadata__":{"a":1},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"__metadata__":{"a":"1","a":"2"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"\ud83d":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
        R"({"\x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})"};
    for (const char* const header : bad) CHECK_THROWS(tensors(header, 2), std::invalid_argument);
    CHECK_THROWS(tensors(std::string("{\"a\0\":1}", 8), 2), std::invalid_argument);
    CHECK_THROWS(tensors(a, 2), std::invalid_argument);
    CHECK(tensors(R"({"a":{"dtype":"U7","shape":[5],"data_offsets":[0,2]}})", 2) == 1);  // unknown here: it passes
    CHECK(tensors(a + "}", 2) == 1);
    CHECK_THROWS(tensors(a + "}", 3), std::invalid_argument);
    CHECK_THROWS(tensors(std::string(1'000'000, '['), 2), std::invalid_argument);  // deep, and no recursion

    const std::string good = contents(path).substr(0, 8) + a + "}xx";
    for (const std::size_t n : {0, 3, 8, 9, 40}) {
        put(path, contents(path).substr(0, n));
        CHECK_THROWS(SafeTensors{path}, std::invalid_argument);
    }
    put(path, std::string(8, '\xff') + "{}");
    CHECK_THROWS(SafeTensors{path}, std::invalid_argument);
    CHECK_THROWS(SafeTensors{"/dev/null"}, std::invalid_argument);
}

// Any byte changed, any length cut: a sound file or std::invalid_argument, under the sanitizers too.
void damage() {
    const Folder folder;
    const std::string path = folder.file("a"), other = folder.file("b");
    Network<float> net({{2, 3, 2}, {Activation::tanh}, Loss::cross_entropy, true}, 1);
    net.save(path);
    const std::string whole = contents(path);
    const auto opens = [&](const std::string& text) {
        put(other, text);
        try {
            net.load(SafeTensors(other));
        } catch (const std::invalid_argument&) {
            return false;
        }
        return true;
    };
    CHECK(opens(whole));
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK(!opens(whole.substr(0, n)));
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        std::string text = whole;
        for (auto changes = random() % 3 + 1; changes != 0; --changes)
            text[random() % (random() % 2 ? text.size() : 400)] = static_cast<char>(random());
        opens(text);
    }
}

template <class T>
void runs_go_on() {
    const Folder folder;
    const std::string path = folder.file("net.safetensors");
    const fanin::NetworkShape shape{
        {5, 7, 7, 4}, {Activation::tanh, Activation(Activation::leaky_relu, 0.2)}, Loss::cross_entropy, true, {0, 1, 2}};
    std::vector<T> x(40 * 5);
    fanin::fill_normal<T>(x, {9, 1}, 0, 0, 1);
    std::vector<std::int64_t> y(40);
    for (std::size_t i = 0; i < 40; ++i) y[i] = static_cast<std::int64_t>(i % 4);
    const fanin::MatrixView<const T> view = fanin::matrix_view<const T>(x.data(), 40, 5);
    const fanin::Targets<T> targets{y, {}};
    std::vector<double> costs(30), means(10);
    const fanin::OptimizerRule rules[] = {fanin::Sgd{}, fanin::Sgd{0.9, true}, fanin::RmsProp{}, fanin::RmsProp{0.9, 1e-8, 0.5},
                                          fanin::Adam{}};
    for (const fanin::OptimizerRule& rule : rules) {
        Network<T> whole(shape, 3), parted(shape, 3), after(shape, 3);
        whole.draw_weights(fanin::Law("xavier_normal"));
        parted.draw_weights(fanin::Law("xavier_normal"));
        fanin::Optimizer a(rule, 0.01, 1), b(rule, 0.01, 1), c(rule, 0.01, 1);
        whole.fit(view, targets, {10, 16}, a, costs, means);
        parted.fit(view, targets, {4, 16}, b, std::span(costs).first(12), std::span(means).first(4));
        parted.save(path, &b, fanin::TensorNames::torch);
        const SafeTensors file(path);
        CHECK(file.find("4.weight") != nullptr && file.find("1.weight") == nullptr);
        after.load(file);
        after.load_optimizer(file, c);
        CHECK(c.steps() == 12 && after.epochs() == 4 && c.powers() == b.powers());
        after.fit(view, targets, {6, 16}, c, std::span(costs).first(18), std::span(means).first(6));
        CHECK(parameters(after) == parameters(whole));
        CHECK_THROWS(after.load_optimizer(file, c), std::invalid_argument);  // it has a state
        fanin::Optimizer wrong(fanin::Sgd{0.5}, 1);
        if (rule.index() != 0) CHECK_THROWS(after.load_optimizer(file, wrong), std::invalid_argument);
        CHECK_THROWS(whole.save(path, &b), std::invalid_argument);
        CHECK(contents(path).size() > 0 && folder.files() == 1);
    }
}

void networks_refuse_other_files() {
    const Folder folder;
    const std::string path = folder.file("net");
    Network<float> net({{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true}, 1);
    net.draw_weights(fanin::Law("ones"));
    net.save(path);
    const SafeTensors file(path);
    const auto refuses = [&](auto&& other) {
        const auto before = parameters(other);
        CHECK_THROWS(other.load(file), std::invalid_argument);
        CHECK(parameters(other) == before);
    };
    refuses(Network<float>({{3, 5, 2}, {Activation::tanh}, Loss::cross_entropy, true}, 1));
    refuses(Network<float>({{3, 2}, {}, Loss::cross_entropy, true}, 1));
    refuses(Network<float>({{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, false}, 1));
    refuses(Network<float>({{3, 4, 4, 2}, {Activation::tanh, Activation::tanh}, Loss::cross_entropy, true}, 1));
    Network<double> wide({{3, 4, 2}, {Activation::tanh}, Loss::cross_entropy, true}, 1);
    wide.load(file);  // exact
    CHECK(wide.weight(0)(0, 0) == 1);
    wide.save(path);
    CHECK_THROWS(net.load(SafeTensors(path)), std::invalid_argument);
    fanin::Optimizer sgd(fanin::Sgd{0.9}, 1);
    CHECK_THROWS(net.load_optimizer(file, sgd), std::invalid_argument);
    CHECK(!sgd.bound());
}

}  // namespace

int main() {
    written_is_read();
    headers();
    damage();
    runs_go_on<float>();
    runs_go_on<double>();
    networks_refuse_other_files();
    return check::result();
}
