// What Python sees of the kernel: loader._kernel. See loader/load/kernel.py, its only user.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "reader.hpp"

namespace py = pybind11;
using namespace headwater;

namespace {

std::unique_ptr<Rule> rule_from(const py::object& found) {
    if (found.is_none()) return nullptr;
    const auto given = found.cast<py::dict>();
    auto rule = std::make_unique<Rule>();
    rule->kinds = given["kinds"].cast<uint8_t>();
    rule->needs_judge = given["needs_judge"].cast<bool>();
    rule->closed = given["closed"].cast<bool>();
    rule->minimum = given["minimum"].cast<double>();
    rule->maximum = given["maximum"].cast<double>();
    if (!given["choices"].is_none()) {
        rule->has_choices = true;
        for (const auto& choice : given["choices"]) {
            if (choice.is_none()) rule->literals |= 1;
            else if (py::isinstance<py::bool_>(choice)) rule->literals |= choice.cast<bool>() ? 4 : 2;
            else if (py::isinstance<py::str>(choice)) rule->texts.push_back(choice.cast<std::string>());
            else rule->numbers.push_back(choice.cast<double>());
        }
    }
    for (const auto& [name, child] : given["children"].cast<py::dict>())
        rule->children.emplace(name.cast<std::string>(), rule_from(py::reinterpret_borrow<py::object>(child)));
    for (const auto& name : given["required"]) {
        rule->children.at(name.cast<std::string>())->required = true;
        ++rule->required_children;
    }
    rule->items = rule_from(given["items"]);
    return rule;
}

// An array that owns what it shows.
template <typename Container>
py::object owning(Container&& given) {
    using Value = typename Container::value_type;
    auto* const kept = new Container(std::move(given));
    const py::capsule owner(kept, [](void* kept) { delete static_cast<Container*>(kept); });
    using Shown = std::conditional_t<std::is_same_v<Value, char>, uint8_t, Value>;
    return py::array_t<Shown>(static_cast<py::ssize_t>(kept->size()),
                              reinterpret_cast<const Shown*>(kept->data()), owner);
}

template <typename Values>
std::vector<uint8_t> packed(const Values& values) {
    std::vector<uint8_t> bits((values.size() + 7) / 8, 0);
    for (size_t i = 0; i < values.size(); ++i)
        if (values[i]) bits[i / 8] |= static_cast<uint8_t>(1 << i % 8);
    return bits;
}

// (null count, buffers as Arrow lays them out).
py::tuple buffers_of(Column&& column, int64_t rows) {
    column.fill(rows);
    py::list buffers;
    buffers.append(owning(packed(column.valid)));
    switch (column.type) {
        case Type::TEXT:
            buffers.append(owning(std::move(column.ends)));
            buffers.append(owning(std::move(column.bytes)));
            break;
        case Type::FLOAT: buffers.append(owning(std::move(column.floats))); break;
        case Type::BOOL: buffers.append(owning(packed(column.ints))); break;
        default: buffers.append(owning(std::move(column.ints)));
    }
    return py::make_tuple(std::count(column.valid.begin(), column.valid.end(), 0), buffers);
}

// What a column holds, which is empty then; None if that is nothing but nulls.
py::object taken(Column& column, int64_t rows) {
    Column emptied(column.type);
    emptied.has_big_ints = column.has_big_ints;
    emptied.reserve(column);
    std::swap(column, emptied);
    const auto& valid = emptied.valid;
    if (std::find(valid.begin(), valid.end(), 1) == valid.end()) return py::none();
    return buffers_of(std::move(emptied), rows);
}

py::tuple finish(Table& table) {
    const int64_t rows = table.rows;
    py::list fixed;
    for (Column& column : table.fixed) fixed.append(taken(column, rows));
    py::dict added;
    for (auto& [name, column] : table.columns) {
        py::object buffers = taken(*column, rows);
        if (!buffers.is_none()) added[py::str(name)] = buffers;
    }
    table.rows = 0;
    return py::make_tuple(rows, fixed, added);
}

void add_key(Table& table, const std::string& root, const std::vector<std::string>& path,
             const std::string& column, Type type, const std::vector<std::string>& identifies) {
    Key* key = root == "context" ? &table.context : root == "body" ? &table.body : &table.outer;
    for (const auto& name : path) key = key->child(name);
    key->column = table.column(column, type);
    if (key->keeps_nulls) key->null_name = column;
    key->identifies = identifies;
    table.find_parts();
}

void name_null(Table& table, const std::vector<std::string>& path, const std::string& column) {
    Key* key = &table.body;
    for (const auto& name : path) key = key->child(name);
    key->null_name = column;
}

std::vector<Text> views_of(const py::list& texts) {
    std::vector<Text> views;
    views.reserve(texts.size());
    for (const auto& text : texts) {
        char* at = nullptr;
        py::ssize_t size = 0;
        if (PyBytes_AsStringAndSize(text.ptr(), &at, &size) != 0) throw py::error_already_set();
        views.emplace_back(at, static_cast<size_t>(size));
    }
    return views;
}

// (is_odd, source, call, received_at, sent_at, ip, is_browser), as struct Request has them.
std::vector<Request> requests_from(const py::list& requests) {
    std::vector<Request> given;
    for (const auto& found : requests) {
        const auto said = found.cast<py::tuple>();
        given.push_back(
            {said[0].cast<bool>(), said[1].cast<int>(), said[2].cast<std::optional<std::string>>(),
             said[3].cast<std::optional<int64_t>>(), said[4].cast<std::optional<int64_t>>(),
             said[5].cast<std::string>(), said[6].cast<bool>()});
    }
    return given;
}

std::unique_ptr<Scan> scan(const py::list& texts, std::vector<int> owners, const py::list& requests) {
    const auto views = views_of(texts);
    auto given = requests_from(requests);
    const py::gil_scoped_release release;
    return std::make_unique<Scan>(views, std::move(owners), std::move(given));
}

// For each event whether it is for Python, as a byte.
py::bytes odd_of(const Scan& scan) {
    std::string flags;
    for (const Envelope& envelope : scan.envelopes) flags += static_cast<char>(envelope.is_odd);
    return py::bytes(flags);
}

py::bytes take(Reader& reader, const Scan& scan, std::string flags, int64_t first_seq,
               int first_request) {
    if (flags.size() != scan.envelopes.size()) throw py::value_error("wanted a flag an event");
    {
        const py::gil_scoped_release release;
        reader.take(scan, flags, first_seq, first_request);
    }
    return py::bytes(flags);
}

}  // namespace

PYBIND11_MODULE(_kernel, module) {
    module.doc() = "Reads ordinary events into columns, and leaves all others to Python.";

    py::enum_<Type>(module, "Type")
        .value("TEXT", Type::TEXT)
        .value("INT", Type::INT)
        .value("FLOAT", Type::FLOAT)
        .value("BOOL", Type::BOOL)
        .value("TIMESTAMP", Type::TIMESTAMP);

    py::class_<Table>(module, "Table")
        .def("add_key", &add_key, py::arg("root"), py::arg("path"), py::arg("column"), py::arg("kind"),
             py::arg("identifies"))
        .def("name_null", &name_null, py::arg("path"), py::arg("name"))
        .def("set_column", [](Table& table, const std::string& name, Type type, bool has_big_ints) {
            Column* const column = table.column(name, type);
            column->type = type;  // between `finish` and the next row
            column->has_big_ints = has_big_ints;
        })
        .def("finish", &finish);

    py::class_<Scan>(module, "Scan")
        .def(py::init(&scan), py::arg("texts"), py::arg("owners"), py::arg("requests"),
             py::keep_alive<1, 2>())
        .def("keys", [](const Scan& scan) { return py::bytes(scan.keys); })
        .def("odd", &odd_of);

    py::class_<Reader>(module, "Reader")
        .def(py::init<>())
        .def("add_table", [](Reader& reader, const py::object& rule, bool keeps_nulls) {
            return reader.add_table(rule_from(rule), keeps_nulls);
        }, py::arg("rule"), py::arg("keeps_nulls"), py::return_value_policy::reference_internal)
        .def("name_event", [](Reader& reader, const std::string& name, Table* table) {
            reader.events[name] = table;
        })
        .def("name_call", [](Reader& reader, const std::string& name, Table* table) {
            for (int call = 0; call < CALL_COUNT; ++call)
                if (CALLS[call] == name) reader.calls[static_cast<size_t>(call)] = table;
        })
        .def("add_source", [](Reader& reader, const std::string& key, int source) {
            reader.sources[key] = source;
        })
        .def("suppress", [](Reader& reader, const std::string& key, const std::string& type,
                            const std::vector<std::string>& digests) {
            reader.suppression.add(key, type, digests);
        })
        .def("take", &take, py::arg("scan"), py::arg("flags"), py::arg("first_seq"),
             py::arg("first_request"))
        .def_readwrite("default_source", &Reader::default_source)
        .def_readwrite("unknown_source", &Reader::unknown_source)
        .def_readwrite("only_source", &Reader::only_source)
        .def_readwrite("client_libraries", &Reader::client_libraries)
        .def_readwrite("suppressed_users", &Reader::suppressed_users)
        .def_readwrite("suppressed_devices", &Reader::suppressed_devices)
        .def_readwrite("raw_since", &Reader::raw_since)
        .def_readwrite("now", &Reader::now);
}
