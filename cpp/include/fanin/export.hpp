// What a shared library shows: the declarations of the public headers and nothing else. A static one shows nothing to programs
// that its users load.
#pragma once

#if defined(FANIN_SHARED) && defined(__GNUC__)
#define FANIN_PUBLIC __attribute__((visibility("default")))
#else
#define FANIN_PUBLIC
#endif
