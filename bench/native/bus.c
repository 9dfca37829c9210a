/* A serial bus of Modbus RTU units behind a pty, paced to a baud rate (8N1).
 *
 *   bus BAUD TURNAROUND_US UNITS DEAD LINK LOG
 *
 * Units 1..UNITS answer function 3 with registers that hold their own address; the first DEAD of them are silent. Each
 * request is on the wire for its characters from the moment it is written, each answer comes back character by
 * character. LOG gets one line per request: its unit, count of registers, time of its first bit, of its last bit, and
 * of the last bit of its answer (0: none), in microseconds of CLOCK_MONOTONIC. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void wait_until(uint64_t at_us) {
    struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static uint16_t crc(const uint8_t *data, int size) {
    uint16_t sum = 0xFFFF;
    for (int i = 0; i < size; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >> 1 ^ 0xA001 : sum >> 1;
    }
    return sum;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    double character_us = 1e7 / atoi(argv[1]);
    uint64_t turnaround_us = strtoull(argv[2], 0, 10);
    int units = atoi(argv[3]), dead = atoi(argv[4]);
    int pty = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(pty);
    unlockpt(pty);
    struct termios mode;
    int held = open(ptsname(pty), O_RDWR | O_NOCTTY); /* keeps the pty up between masters */
    tcgetattr(held, &mode);
    cfmakeraw(&mode);
    tcsetattr(held, TCSANOW, &mode);
    unlink(argv[5]);
    if (symlink(ptsname(pty), argv[5])) return perror("symlink"), 1;
    FILE *log = fopen(argv[6], "w");
    setvbuf(log, NULL, _IOLBF, 0);
    prctl(PR_SET_TIMERSLACK, 1);
    uint64_t silence_us = character_us > 520 ? (uint64_t)(3.5 * character_us) : 1750;
    if (turnaround_us < silence_us) turnaround_us = silence_us;
    uint8_t request[8], answer[256];
    int used = 0;
    uint64_t began = 0;
    for (;;) {
        ssize_t got = read(pty, request + used, sizeof request - used);
        if (got <= 0) return 0;
        uint64_t now = now_us();
        if (used && now - began > 100000) {
            request[0] = request[used];
            used = 0, got = 1;
        }
        if (!used) began = now;
        used += got;
        if (used < 8) continue;
        used = 0;
        uint64_t sent = began + (uint64_t)(8 * character_us);
        int unit = request[0], first = request[2] << 8 | request[3], count = request[4] << 8 | request[5];
        uint16_t sum = crc(request, 6);
        int sound = request[1] == 3 && request[6] == (sum & 255) && request[7] == sum >> 8 && count <= 125;
        if (!sound || unit <= dead || unit > units) {
            fprintf(log, "%d %d %llu %llu 0\n", unit, count, (unsigned long long)began, (unsigned long long)sent);
            continue;
        }
        int size = 5 + 2 * count;
        answer[0] = unit, answer[1] = 3, answer[2] = 2 * count;
        for (int i = 0; i < count; i++) answer[3 + 2 * i] = (first + i) >> 8, answer[4 + 2 * i] = (first + i) & 255;
        sum = crc(answer, size - 2);
        answer[size - 2] = sum & 255, answer[size - 1] = sum >> 8;
        /* like a UART, whose driver hands over what came in the last millisecond */
        uint64_t start = sent + turnaround_us;
        int at_once = character_us < 1000 ? (int)(1000 / character_us) : 1;
        for (int at = 0; at < size;) {
            int next = at + at_once > size ? size : at + at_once;
            wait_until(start + (uint64_t)(next * character_us));
            if (write(pty, answer + at, next - at) != next - at) return 1;
            at = next;
        }
        fprintf(log, "%d %d %llu %llu %llu\n", unit, count, (unsigned long long)began, (unsigned long long)sent,
                (unsigned long long)now_us());
    }
}
