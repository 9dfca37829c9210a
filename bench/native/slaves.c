/* N Modbus TCP slaves in one process, as bench/formula.py describes them.
 *
 *   slaves COUNT INTERVAL_US DELAY_US
 *
 * Prints the ports it chose on one line. SIGUSR1 makes every fifth slave swallow its requests, SIGUSR2 heals them. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS 100
#define MOST_FDS 65536

struct connection {
    int is_listener, slave, used;
    uint8_t buffer[512];
};
struct owed {
    uint64_t due_us;
    int fd, slave;
    uint8_t request[12];
};

static struct connection *connections[MOST_FDS];
static volatile sig_atomic_t muted;
static uint64_t interval_us, delay_us;
static struct owed *queue;
static unsigned queue_size = 1 << 16, queue_head, queue_tail;

static void mute(int number) { muted = number == SIGUSR1; }

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void put(uint8_t *image, int reg, uint16_t value) {
    image[2 * reg] = value >> 8;
    image[2 * reg + 1] = value & 255;
}

static void put_wide(uint8_t *image, int reg, uint32_t value, int swapped) {
    put(image, reg, swapped ? value & 0xFFFF : value >> 16);
    put(image, reg + 1, swapped ? value >> 16 : value & 0xFFFF);
}

static uint64_t turn(uint64_t step, int slave, int tag, uint64_t modulus) {
    return (step + (uint64_t)slave * 7919 + (uint64_t)tag * 104729) % modulus;
}

/* All registers of a slave as they stand at `at`. */
static void fill(uint8_t *image, int slave, uint64_t at) {
    uint64_t phase = (uint64_t)slave * 618034 % 1000000 * interval_us / 1000000;
    uint64_t step = (at + phase) / interval_us;
    for (int tag = 0; tag < 10; tag++) put(image, tag, (uint16_t)(int16_t)((int)turn(step, slave, tag, 60000) - 30000));
    for (int tag = 10; tag < 20; tag++) put(image, tag, (uint16_t)turn(step, slave, tag, 60000));
    for (int tag = 20; tag < 40; tag++) {
        int32_t value = (int32_t)((int64_t)turn(step, slave, tag, 1000000) * 1999 - 999500000);
        if (tag == 20) value = (int32_t)(at & 0x7FFFFFFF);
        put_wide(image, 20 + 2 * (tag - 20), (uint32_t)value, tag >= 30);
    }
    for (int tag = 40; tag < 60; tag++) {
        float value = (float)(((double)turn(step, slave, tag, 1000000) - 500000) / 100);
        uint32_t pattern;
        memcpy(&pattern, &value, 4);
        put_wide(image, 60 + 2 * (tag - 40), pattern, tag >= 50);
    }
}

static void answer(int fd, int slave, const uint8_t *request) {
    uint8_t image[2 * REGISTERS], frame[9 + 2 * REGISTERS];
    int first = request[8] << 8 | request[9], count = request[10] << 8 | request[11];
    memcpy(frame, request, 8);
    if (request[7] != 3 || count < 1 || first + count > REGISTERS) {
        frame[4] = 0, frame[5] = 3, frame[7] |= 0x80, frame[8] = request[7] == 3 ? 2 : 1;
        (void)!send(fd, frame, 9, MSG_NOSIGNAL);
        return;
    }
    fill(image, slave, now_us());
    frame[4] = (3 + 2 * count) >> 8, frame[5] = (3 + 2 * count) & 255, frame[8] = 2 * count;
    memcpy(frame + 9, image + 2 * first, 2 * count);
    (void)!send(fd, frame, 9 + 2 * count, MSG_NOSIGNAL);
}

static void take(int fd, struct connection *c) {
    ssize_t got = recv(fd, c->buffer + c->used, sizeof c->buffer - c->used, MSG_DONTWAIT);
    if (got <= 0) {
        close(fd);
        free(c);
        connections[fd] = NULL;
        return;
    }
    c->used += got;
    int at = 0;
    while (c->used - at >= 12) {
        if (!(muted && c->slave % 5 == 0)) {
            if (delay_us) {
                struct owed *owed = &queue[queue_tail++ % queue_size];
                owed->due_us = now_us() + delay_us, owed->fd = fd, owed->slave = c->slave;
                memcpy(owed->request, c->buffer + at, 12);
            } else
                answer(fd, c->slave, c->buffer + at);
        }
        at += 12;
    }
    memmove(c->buffer, c->buffer + at, c->used -= at);
}

static void watch(int epoll, int fd, int is_listener, int slave) {
    struct connection *c = calloc(1, sizeof *c);
    c->is_listener = is_listener, c->slave = slave;
    connections[fd] = c;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int count = atoi(argv[1]);
    interval_us = strtoull(argv[2], 0, 10), delay_us = strtoull(argv[3], 0, 10);
    queue = calloc(queue_size, sizeof *queue);
    struct rlimit files = {MOST_FDS, MOST_FDS};
    if (setrlimit(RLIMIT_NOFILE, &files) && !getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGUSR1, mute);
    signal(SIGUSR2, mute);
    int epoll = epoll_create1(0);
    for (int slave = 0; slave < count; slave++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 16)) return perror("listen"), 1;
        getsockname(fd, (struct sockaddr *)&address, &size);
        printf("%s%d", slave ? " " : "", ntohs(address.sin_port));
        watch(epoll, fd, 1, slave);
    }
    printf("\n");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        struct timespec wait = {1, 0};
        if (queue_head != queue_tail) {
            uint64_t now = now_us(), due = queue[queue_head % queue_size].due_us;
            uint64_t left = due > now ? due - now : 0;
            wait.tv_sec = left / 1000000, wait.tv_nsec = left % 1000000 * 1000;
        }
        int ready = epoll_pwait2(epoll, events, 256, &wait, NULL);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            struct connection *c = connections[fd];
            if (!c) continue;
            if (!c->is_listener) {
                take(fd, c);
                continue;
            }
            int peer = accept(fd, NULL, NULL), one = 1;
            if (peer < 0) continue;
            setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            watch(epoll, peer, 0, c->slave);
        }
        while (queue_head != queue_tail && queue[queue_head % queue_size].due_us <= now_us()) {
            struct owed *owed = &queue[queue_head++ % queue_size];
            if (connections[owed->fd]) answer(owed->fd, owed->slave, owed->request);
        }
    }
}
