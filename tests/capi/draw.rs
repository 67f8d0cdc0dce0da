// The C API from Rust, declared after its header: draws a matrix and prints its bits.
use std::ffi::{c_char, c_int, c_void, CStr, CString};

extern "C" {
    fn fanin_last_error() -> *const c_char;
    fn fanin_fill(
        dtype: c_int,
        out: *mut c_void,
        shape: *const usize,
        rank: usize,
        law: *const c_char,
        seed: u64,
        stream: u64,
    ) -> c_int;
}

fn main() {
    let mut w = [0f32; 12];
    let shape = [4usize, 3];
    let law = CString::new("he_normal").unwrap();
    let status = unsafe { fanin_fill(0, w.as_mut_ptr().cast(), shape.as_ptr(), 2, law.as_ptr(), 7, 1) };
    if status != 0 {
        panic!("{}", unsafe { CStr::from_ptr(fanin_last_error()) }.to_string_lossy());
    }
    for x in w {
        println!("{:08x}", x.to_bits());
    }
    let wrong = CString::new("no_law").unwrap();
    assert_eq!(unsafe { fanin_fill(0, w.as_mut_ptr().cast(), shape.as_ptr(), 2, wrong.as_ptr(), 7, 1) }, 1);
}
