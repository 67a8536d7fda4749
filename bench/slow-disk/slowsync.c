// Preloaded into PostgreSQL alone: each fsync and fdatasync takes SLOW_SYNC_US microseconds longer, as on a network volume.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int (*sync_call)(int);

static void wait_longer(void) {
  static long micros = -1;
  if (micros < 0) {
    const char *text = getenv("SLOW_SYNC_US");
    micros = text ? atol(text) : 0;
  }
  if (micros == 0) return;
  struct timespec pause = {micros / 1000000, (micros % 1000000) * 1000};
  nanosleep(&pause, NULL);
}

int fsync(int file) {
  static sync_call real;
  if (!real) real = (sync_call)dlsym(RTLD_NEXT, "fsync");
  int result = real(file);
  wait_longer();
  return result;
}

int fdatasync(int file) {
  static sync_call real;
  if (!real) real = (sync_call)dlsym(RTLD_NEXT, "fdatasync");
  int result = real(file);
  wait_longer();
  return result;
}
