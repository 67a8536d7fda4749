// Preloaded into PostgreSQL alone: while the file DISK_FULL_FLAG exists, no file can grow, as on a full disk. Files of
// the write-ahead log may be written where they are already long enough, which is how PostgreSQL uses them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int grows(int file, off_t end) {
  struct stat found;
  const char *flag = getenv("DISK_FULL_FLAG");
  if (!flag || fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || end <= found.st_size) return 0;
  if (access(flag, F_OK) != 0) return 0;
  errno = ENOSPC;
  return 1;
}

static off_t length(const struct iovec *parts, int count) {
  off_t total = 0;
  for (int i = 0; i < count; i++) total += parts[i].iov_len;
  return total;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  static __typeof__(&pwrite) real;
  if (!real) real = REAL(pwrite);
  return grows(file, at + (off_t)count) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  static __typeof__(&pwrite64) real;
  if (!real) real = REAL(pwrite64);
  return grows(file, at + (off_t)count) ? -1 : real(file, bytes, count, at);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
  static __typeof__(&pwritev) real;
  if (!real) real = REAL(pwritev);
  return grows(file, at + length(parts, count)) ? -1 : real(file, parts, count, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
  static __typeof__(&pwritev64) real;
  if (!real) real = REAL(pwritev64);
  return grows(file, at + length(parts, count)) ? -1 : real(file, parts, count, at);
}

int posix_fallocate(int file, off_t at, off_t count) {
  static __typeof__(&posix_fallocate) real;
  if (!real) real = REAL(posix_fallocate);
  return grows(file, at + count) ? ENOSPC : real(file, at, count);
}

int posix_fallocate64(int file, off64_t at, off64_t count) {
  static __typeof__(&posix_fallocate64) real;
  if (!real) real = REAL(posix_fallocate64);
  return grows(file, at + count) ? ENOSPC : real(file, at, count);
}
