// A long link between two network namespaces, in user space, for machines whose kernel has no netem: a tap device in each, and
// between them, both ways alike, a rate, a delay, a loss and a queue.
//
//   long-link PID_A PID_B DEVICE RATE_BIT_PER_S DELAY_MS LOSS_PERCENT QUEUE_BYTES
//
// The namespaces are those of the two processes. Prints "ready" when both devices are there; ends with its standard input.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_FRAME 2048
#define FRAMES_UNDER_WAY 65536
#define FRAMES_A_TURN 256
#define ETHERTYPE_AT 12

struct frame {
  uint64_t due_ns;
  int length;
  uint8_t bytes[LONGEST_FRAME];
};

struct way {
  struct frame *ring;
  size_t first, next; // count up for ever; places in the ring by remainder
  uint64_t idle_at_ns; // when the last frame that was let in has left the queue
};

static double rate_per_ns, loss;
static uint64_t delay_ns, longest_queue_ns;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void give_up(const char *what) {
  perror(what);
  exit(1);
}

static int open_tap(const char *pid, const char *device) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/ns/net", pid);
  int namespace = open(path, O_RDONLY | O_CLOEXEC);
  if (namespace < 0 || setns(namespace, CLONE_NEWNET) != 0) give_up(path);
  close(namespace);
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) give_up("/dev/net/tun");
  return tap;
}

// ARP and the like is never lost: hosts behind routers would not send it over a long link.
static int is_lost(const uint8_t *frame) {
  return frame[ETHERTYPE_AT] == 0x08 && frame[ETHERTYPE_AT + 1] == 0x00 && drand48() < loss;
}

// Lets in what waits at one end. What is lost, or finds the queue full, is dropped here.
static void take_in(struct way *way, int tap) {
  for (int i = 0; i < FRAMES_A_TURN; i++) {
    struct frame *frame = &way->ring[way->next % FRAMES_UNDER_WAY];
    frame->length = read(tap, frame->bytes, LONGEST_FRAME);
    if (frame->length <= 0) return;
    uint64_t now = now_ns(), start = way->idle_at_ns > now ? way->idle_at_ns : now;
    if (is_lost(frame->bytes) || start - now > longest_queue_ns) continue;
    if (way->next - way->first >= FRAMES_UNDER_WAY) continue;
    way->idle_at_ns = start + (uint64_t)(frame->length / rate_per_ns);
    frame->due_ns = way->idle_at_ns + delay_ns;
    way->next++;
  }
}

// Returns when the next one is due, 0 if none is under way.
static uint64_t let_out(struct way *way, int tap) {
  uint64_t now = now_ns();
  for (; way->first < way->next; way->first++) {
    struct frame *frame = &way->ring[way->first % FRAMES_UNDER_WAY];
    if (frame->due_ns > now) return frame->due_ns;
    if (write(tap, frame->bytes, frame->length) < 0 && errno == EBADFD) return 0;
  }
  return 0;
}

int main(int count, char **words) {
  if (count != 8) {
    fprintf(stderr, "long-link PID_A PID_B DEVICE RATE_BIT_PER_S DELAY_MS LOSS_PERCENT QUEUE_BYTES\n");
    return 2;
  }
  rate_per_ns = atof(words[4]) / 8e9;
  delay_ns = atof(words[5]) * 1e6;
  loss = atof(words[6]) / 100;
  longest_queue_ns = atof(words[7]) / rate_per_ns;
  int taps[2] = {open_tap(words[1], words[3]), open_tap(words[2], words[3])};
  struct way ways[2] = {0};
  for (int i = 0; i < 2; i++) ways[i].ring = calloc(FRAMES_UNDER_WAY, sizeof(struct frame));
  srand48(time(NULL) ^ getpid());
  puts("ready");
  fflush(stdout);
  for (;;) {
    uint64_t next = 0;
    for (int i = 0; i < 2; i++) {
      take_in(&ways[i], taps[i]);
      uint64_t due = let_out(&ways[i], taps[1 - i]);
      if (due && (!next || due < next)) next = due;
    }
    uint64_t now = now_ns(), wait = next > now ? next - now : 0;
    struct timespec timeout = {wait / 1000000000ull, wait % 1000000000ull};
    struct pollfd polled[3] = {{taps[0], POLLIN, 0}, {taps[1], POLLIN, 0}, {0, POLLIN, 0}};
    if (ppoll(polled, 3, next ? &timeout : NULL, NULL) < 0 && errno != EINTR) return 1;
    char rest[64];
    if (polled[2].revents && read(0, rest, sizeof rest) <= 0) return 0;
  }
}
