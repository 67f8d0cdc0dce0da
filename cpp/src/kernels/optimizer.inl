namespace fanin::FANIN_ISA {
namespace {

template <class T>
constexpr OptimizerKernels<T> optimizer_kernels() {
    return {};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
