/* Counts the operations of this process that change files below one folder and lets the n-th
 * of them meet a fault. Preloaded; idle until shim_arm() is called (by ctypes, after a fork).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef EXT4_IOC_SHUTDOWN
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, unsigned int)
#endif

enum fault { COUNT, KILL, POWER, EIO_ONCE, FULL, EIO_READ, STOP, SHORT, INTERRUPTED };

static char root[4096];
static size_t root_length;
static int mount_point = -1; /* an open folder of the file system that loses power */
static int fault, at, pid;
static atomic_int *counter; /* shared with the parent */
static __thread int inside;

void shim_arm(const char *path, int kind, int number, int mounted, int *shared)
{
    strncpy(root, path, sizeof root - 1);
    root_length = strlen(root);
    fault = kind;
    at = number;
    mount_point = mounted;
    counter = (atomic_int *)shared;
    pid = getpid();
}

static int below(const char *path) { return path && !strncmp(path, root, root_length); }

static int path_is_ours(int folder, const char *path)
{
    if (!root_length || inside || getpid() != pid) return 0;
    if (path && path[0] == '/') return below(path);
    char link[64], target[4096];
    if (folder == AT_FDCWD) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return 0;
    target[length] = 0;
    return below(target);
}

static int fd_is_ours(int fd) { return path_is_ours(fd, NULL); }

static void die(void)
{
    if (fault == POWER) {
        unsigned int flags = 2; /* NOLOGFLUSH */
        if (ioctl(mount_point, EXT4_IOC_SHUTDOWN, &flags)) abort();
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Returns the error that the operation has to meet, 0 for none; -1: half of it, then the end. */
static int meet(int allocates, int reads, int is_write)
{
    if (fault == SHORT || fault == INTERRUPTED || reads != (fault == EIO_READ)) return 0;
    int number = atomic_fetch_add(counter, 1) + 1;
    if (fault == FULL) return allocates && number >= at ? ENOSPC : 0;
    if (number != at) return 0;
    if (fault == EIO_ONCE || fault == EIO_READ) return EIO;
    if (fault == STOP) {
        kill(getpid(), SIGSTOP);
        return 0;
    }
    if (fault == KILL || fault == POWER) {
        if (is_write) return -1;
        die();
    }
    return 0;
}

/* Every second call is interrupted before it did anything. */
static int interrupted(int fd)
{
    static __thread int again;
    if (fault != INTERRUPTED || !fd_is_ours(fd) || (again = !again) == 0) return 0;
    atomic_fetch_add(counter, 1);
    errno = EINTR;
    return 1;
}

/* Every call does half of what it is asked for. */
static size_t part(int fd, size_t size)
{
    if (fault != SHORT || size < 2 || !fd_is_ours(fd)) return size;
    atomic_fetch_add(counter, 1);
    return (size + 1) / 2;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define FAIL_IF(ours, allocates) \
    if (ours) { int error = meet(allocates, 0, 0); if (error > 0) { errno = error; return -1; } }

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    if (fd_is_ours(fd)) {
        int error = meet(1, 0, 1);
        if (error > 0) { errno = error; return -1; }
        if (error < 0) { real(fd, data, size / 2); die(); }
    }
    if (interrupted(fd)) return -1;
    return real(fd, data, part(fd, size));
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) \
    { \
        REAL(name); \
        if (fd_is_ours(fd)) { \
            int error = meet(1, 0, 1); \
            if (error > 0) { errno = error; return -1; } \
            if (error < 0) { real(fd, data, size / 2, offset); die(); } \
        } \
        if (interrupted(fd)) return -1; \
        return real(fd, data, part(fd, size), offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags)
{
    REAL(copy_file_range);
    if (fd_is_ours(out)) {
        int error = meet(1, 0, 1);
        if (error > 0) { errno = error; return -1; }
        if (error < 0) { real(in, from, out, to, size / 2, flags); die(); }
    }
    if (interrupted(out)) return -1;
    return real(in, from, out, to, part(out, size), flags);
}

ssize_t read(int fd, void *data, size_t size)
{
    REAL(read);
    if (fault == EIO_READ && fd_is_ours(fd) && meet(0, 1, 0)) { errno = EIO; return -1; }
    if (interrupted(fd)) return -1;
    return real(fd, data, part(fd, size));
}

#define PREAD(name, offset_type) \
    ssize_t name(int fd, void *data, size_t size, offset_type offset) \
    { \
        REAL(name); \
        if (fault == EIO_READ && fd_is_ours(fd) && meet(0, 1, 0)) { errno = EIO; return -1; } \
        if (interrupted(fd)) return -1; \
        return real(fd, data, part(fd, size), offset); \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

int fsync(int fd) { REAL(fsync); FAIL_IF(fd_is_ours(fd), 0); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAIL_IF(fd_is_ours(fd), 0); return real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); FAIL_IF(fd_is_ours(fd), 0); return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); FAIL_IF(fd_is_ours(fd), 0); return real(fd, n); }
int unlink(const char *p) { REAL(unlink); FAIL_IF(path_is_ours(AT_FDCWD, p), 0); return real(p); }
int rmdir(const char *p) { REAL(rmdir); FAIL_IF(path_is_ours(AT_FDCWD, p), 0); return real(p); }
int unlinkat(int d, const char *p, int f) { REAL(unlinkat); FAIL_IF(path_is_ours(d, p), 0); return real(d, p, f); }
int rename(const char *a, const char *b) { REAL(rename); FAIL_IF(path_is_ours(AT_FDCWD, b), 0); return real(a, b); }
int renameat(int d, const char *a, int e, const char *b) { REAL(renameat); FAIL_IF(path_is_ours(e, b), 0); return real(d, a, e, b); }
int link(const char *a, const char *b) { REAL(link); FAIL_IF(path_is_ours(AT_FDCWD, b), 1); return real(a, b); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); FAIL_IF(path_is_ours(AT_FDCWD, p), 1); return real(p, m); }
int mkdirat(int d, const char *p, mode_t m) { REAL(mkdirat); FAIL_IF(path_is_ours(d, p), 1); return real(d, p, m); }
int utimensat(int d, const char *p, const struct timespec t[2], int f)
{ REAL(utimensat); FAIL_IF(path_is_ours(d, p), 0); return real(d, p, t, f); }

#define OPEN(name, with_folder, parameters, arguments, folder) \
    int name parameters \
    { \
        REAL(name); \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
        if (flags & O_CREAT) { FAIL_IF(path_is_ours(folder, path), access(path, F_OK) != 0); } \
        return real arguments; \
    }
OPEN(open, 0, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(open64, 0, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(openat, 1, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), folder)
OPEN(openat64, 1, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), folder)
