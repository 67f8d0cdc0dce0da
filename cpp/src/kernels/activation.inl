namespace fanin::FANIN_ISA {
namespace {

template <class T>
constexpr ActivationKernels<T> activation_kernels() {
    return {};
}

}  // namespace
}  // namespace fanin::FANIN_ISA
