/* Faults of a disk and a machine, for tests/fuzz/faults.py: counts writes and renames, and at the n-th one kills the
   process (1), says that the disk is full from then on (2), fails once with EIO (3), or renames a file whose second
   half never reached the disk, and kills (4). Only regular files count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int kind;
static long at, writes, renames;

void arm(int new_kind, long new_at) { kind = new_kind; at = new_at; writes = renames = 0; }
long count_of_writes(void) { return writes; }
long count_of_renames(void) { return renames; }

static int fails(int fd)
{
    struct stat about;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    long now = __sync_add_and_fetch(&writes, 1);
    if (kind == 1 && now == at) kill(getpid(), SIGKILL);
    if (kind == 2 && now >= at) { errno = ENOSPC; return 1; }
    if (kind == 3 && now == at) { errno = EIO; return 1; }
    return 0;
}

ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return fails(fd) ? -1 : next(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place)
{
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return fails(fd) ? -1 : next(fd, data, size, place);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place)
{
    ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    return fails(fd) ? -1 : next(fd, data, size, place);
}

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    struct stat about;
    long now = __sync_add_and_fetch(&renames, 1);
    if (kind == 4 && now == at && !stat(from, &about) && S_ISREG(about.st_mode)) {
        if (truncate(from, about.st_size / 2) == 0) next(from, to);
        kill(getpid(), SIGKILL);
    }
    return next(from, to);
}
