// Counts what each thread of a program allocates, frees and locks:
//
//   LD_PRELOAD=libcalls.so CALLS_FILE=PATH PROGRAM ...
//
// PATH becomes an array of Slot, one for each thread in the order of their first call, which bench/calls.py
// reads while the program runs. Seen is what goes through the C library: malloc and its siblings (C++'s
// operator new among them), free, and the locks of pthread (std::mutex and std::shared_mutex among them),
// taken at once or not. Locks that a program builds from atomics of its own are not seen.
//
// Thread safety: a thread writes its own slot. Should there be more threads than slots, the rest share the
// last.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// The C library's own names for what is replaced here: dlsym() itself allocates.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* memory);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

struct Slot {
  std::atomic<std::uint64_t> thread;
  std::atomic<std::uint64_t> allocations;
  std::atomic<std::uint64_t> frees;
  std::atomic<std::uint64_t> locks;
};

constexpr std::size_t kSlots = 256;
using Counter = std::atomic<std::uint64_t> Slot::*;

Slot before_the_file[kSlots];  // NOLINT(*-avoid-c-arrays): needs no construction
std::atomic<Slot*> slots = before_the_file;
std::atomic<std::size_t> taken = 0;
// "initial-exec": the other models allocate when a thread comes here for the first time.
constexpr std::size_t kNone = SIZE_MAX;
[[gnu::tls_model("initial-exec")]] thread_local std::size_t mine = kNone;

void count(Counter counter) {
  if (mine == kNone) {
    const std::size_t number = taken.fetch_add(1, std::memory_order_relaxed);
    mine = number < kSlots ? number : kSlots - 1;
  }
  Slot& slot = slots.load(std::memory_order_relaxed)[mine];
  if (slot.thread.load(std::memory_order_relaxed) == 0) {
    slot.thread.store(static_cast<std::uint64_t>(::gettid()), std::memory_order_relaxed);
  }
  (slot.*counter).fetch_add(1, std::memory_order_relaxed);
}

/// What was counted before is not carried over: a start is no steady state.
[[gnu::constructor]] void open_file() {
  const char* path = std::getenv("CALLS_FILE");
  const int fd = path ? ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0) return;
  if (::ftruncate(fd, sizeof before_the_file) == 0) {
    void* memory = ::mmap(nullptr, sizeof before_the_file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) slots.store(static_cast<Slot*>(memory), std::memory_order_relaxed);
  }
  ::close(fd);
}

template <typename Function>
Function real(std::atomic<Function>& known, const char* name) {
  Function function = known.load(std::memory_order_relaxed);
  if (!function) {
    function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
    known.store(function, std::memory_order_relaxed);
  }
  return function;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count(&Slot::allocations);
  return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
  count(&Slot::allocations);
  return __libc_calloc(number, size);
}

void* realloc(void* old, std::size_t size) {
  count(&Slot::allocations);
  return __libc_realloc(old, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  count(&Slot::allocations);
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count(&Slot::allocations);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  count(&Slot::allocations);
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}

void free(void* memory) {
  if (memory) count(&Slot::frees);
  __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static std::atomic<int (*)(pthread_mutex_t*)> known;
  count(&Slot::locks);
  return real(known, "pthread_mutex_lock")(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static std::atomic<int (*)(pthread_mutex_t*)> known;
  count(&Slot::locks);
  return real(known, "pthread_mutex_trylock")(mutex);
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  static std::atomic<int (*)(pthread_rwlock_t*)> known;
  count(&Slot::locks);
  return real(known, "pthread_rwlock_rdlock")(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  static std::atomic<int (*)(pthread_rwlock_t*)> known;
  count(&Slot::locks);
  return real(known, "pthread_rwlock_wrlock")(lock);
}

}  // extern "C"
