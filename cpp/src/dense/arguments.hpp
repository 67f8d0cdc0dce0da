// What every call of `dense` asks of its views before it writes anything.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "fanin/view.hpp"
#include "message.hpp"
#include "overlap.hpp"

namespace fanin::detail {

template <class T>
void require_shape(const MatrixView<T>& v, const char* name, const char* words, std::size_t rows, std::size_t cols) {
    if (v.rows != rows || v.cols != cols)
        refuse({name, " must have shape ", words, " = ", Term::shape({rows, cols}), ", got ", Term::shape({v.rows, v.cols})});
}
template <class T>
void require_shape(const VectorView<T>& v, const char* name, const char* words, std::size_t size) {
    if (v.size != size) refuse({name, " must have shape ", words, " = ", Term::shape({size}), ", got ", Term::shape({v.size})});
}

// What an output is checked against: the views named so far, inputs first, then the outputs before it.
template <class T>
class Places {
 public:
    void input(MatrixView<const T> v, const char* name) { add(extent(v), name); }
    void input(VectorView<const T> v, const char* name) { input(as_matrix(v), name); }
    void output(MatrixView<T> v, const char* name) {
        require_distinct(v, name);
        const Extent e = extent(v);
        for (std::size_t i = 0; i < count_; ++i)
            if (may_overlap(e, extents_[i])) refuse({name, " must not overlap ", names_[i]});
        add(e, name);
    }
    void output(VectorView<T> v, const char* name) { output(as_matrix(v), name); }

 private:
    void add(const Extent& e, const char* name) {
        extents_[count_] = e;
        names_[count_++] = name;
    }
    Extent extents_[8];
    const char* names_[8];
    std::size_t count_ = 0;
};

}  // namespace fanin::detail
