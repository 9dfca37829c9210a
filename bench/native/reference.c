/* The floor: one libmodbus read of 100 registers and one libmosquitto message for each slave and interval.
 *
 *   reference INTERVAL_US BROKER_PORT SLAVE_PORT... */
#include <errno.h>
#include <modbus/modbus.h>
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int32_t wide(const uint16_t *registers, int swapped) {
    return (int32_t)(swapped ? (uint32_t)registers[1] << 16 | registers[0] : (uint32_t)registers[0] << 16 | registers[1]);
}

static int encode(char *text, const uint16_t *r) {
    char *at = text;
    *at++ = '{';
    for (int tag = 0; tag < 60; tag++) {
        at += sprintf(at, "%s\"t%02d\":", tag ? "," : "", tag);
        if (tag < 10)
            at += sprintf(at, "%.1f", (int16_t)r[tag] * 0.1);
        else if (tag < 20)
            at += sprintf(at, "%.2f", r[tag] * 0.01);
        else if (tag == 20)
            at += sprintf(at, "%d", wide(r + 20, 0));
        else if (tag < 40)
            at += sprintf(at, "%.3f", wide(r + 20 + 2 * (tag - 20), tag >= 30) * 0.001);
        else {
            int32_t pattern = wide(r + 60 + 2 * (tag - 40), tag >= 50);
            float value;
            memcpy(&value, &pattern, 4);
            at += sprintf(at, "%.7g", value);
        }
    }
    *at++ = '}';
    return at - text;
}

int main(int argc, char **argv) {
    int count = argc - 3;
    if (count < 1) return 2;
    uint64_t interval = strtoull(argv[1], 0, 10);
    mosquitto_lib_init();
    struct mosquitto *broker = mosquitto_new("bench-reference", true, NULL);
    mosquitto_max_inflight_messages_set(broker, 1000);
    mosquitto_int_option(broker, MOSQ_OPT_TCP_NODELAY, 1);
    if (mosquitto_connect(broker, "127.0.0.1", atoi(argv[2]), 60)) return 1;
    mosquitto_loop_start(broker);
    modbus_t **slaves = calloc(count, sizeof *slaves);
    for (int i = 0; i < count; i++) {
        slaves[i] = modbus_new_tcp("127.0.0.1", atoi(argv[3 + i]));
        modbus_set_slave(slaves[i], 1);
        modbus_set_response_timeout(slaves[i], 0, 500000);
        if (modbus_connect(slaves[i])) return 1;
    }
    uint64_t start = now_us();
    for (uint64_t poll = 0;; poll++) {
        int i = poll % count;
        uint64_t due = start + poll / count * interval + (uint64_t)i * interval / count, now = now_us();
        if (due > now) {
            struct timespec wait = {(due - now) / 1000000, (due - now) % 1000000 * 1000};
            nanosleep(&wait, NULL);
        }
        uint16_t registers[100];
        if (modbus_read_registers(slaves[i], 0, 100, registers) != 100) continue;
        char topic[32], text[4096];
        sprintf(topic, "bench/%d", i);
        mosquitto_publish(broker, NULL, topic, encode(text, registers), text, 1, false);
    }
}
