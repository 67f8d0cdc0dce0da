namespace fanin::FANIN_ISA {
namespace {

template <class T>
constexpr MathKernels<T> math_kernels() {
    return {};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
