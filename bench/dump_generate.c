// SPDX-License-Identifier: Apache-2.0
// Writes a goroutine dump as Go 1.26 prints it on SIGQUIT, runtime frames and addresses included:
//     dump_generate GOROUTINES DISTINCT_STACKS > dump.txt
// Frames come from a pool of 4,000 places; arguments and stack addresses differ between all goroutines.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PLACES     4000
#define DEPTH      6 /* frames of the program's own; six with those of the runtime */
#define BUFFER     (1u << 20)
#define STACK_SIZE 0x2000ull

static const char *const packages[] = {"example.com/shop/internal/cart", "example.com/shop/api",
				       "net/http", "google.golang.org/grpc/internal/transport",
				       "database/sql"};
static const char *const states[] = {"select", "chan receive", "IO wait", "sync.Mutex.Lock",
				     "sync.Cond.Wait"};

/* A step of splitmix64: the same number gives the same stack. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void frame(uint64_t place, uint64_t sp, uint64_t argument)
{
	const char *package = packages[place % 5];

	printf("%s.(*Service%" PRIu64 ").handle%" PRIu64 "(0xc%09" PRIx64 ", {0x%" PRIx64
	       "?, 0x%" PRIx64 "?}, 0x%" PRIx64 "?)\n"
	       "\t/go/src/%s/service_%" PRIu64 ".go:%" PRIu64 " +0x%" PRIx64 " fp=0xc%09" PRIx64
	       " sp=0xc%09" PRIx64 " pc=0x%" PRIx64 "\n",
	       package, place % 97, place, argument & 0xffffffff8, 0x4a0000 + place,
	       argument % 4096, argument % 977, package, place % 61, 20 + place % 900,
	       16 + place % 1500, sp + 0x90, sp, 0x480000 + place * 64);
}

static void goroutine(uint64_t id, uint64_t stack)
{
	uint64_t sp = id * STACK_SIZE % 0xfffffffff, random = mix(stack);

	printf("goroutine %" PRIu64 " gp=0xc%09" PRIx64 " m=nil [%s, %" PRIu64 " minutes]:\n", id,
	       sp ^ 0x1c0, states[stack % 5], 1 + mix(id) % 600);
	printf("runtime.gopark(0x%" PRIx64 "?, 0x%" PRIx64 "?, 0x8?, 0x%" PRIx64 "?, 0x%" PRIx64
	       "?)\n\t/usr/local/go/src/runtime/proc.go:462 +0xce fp=0xc%09" PRIx64
	       " sp=0xc%09" PRIx64 " pc=0x477b2e\n",
	       id & 0xffff, mix(id) & 0xfffff, id % 251, id % 7, sp + 0x20, sp);
	for (uint64_t i = 0; i < DEPTH; i++) {
		random = mix(random);
		sp += 0x90;
		frame(random % PLACES, sp, mix(id + i));
	}
	printf("runtime.goexit({})\n\t/usr/local/go/src/runtime/asm_amd64.s:1771 +0x1 "
	       "fp=0xc%09" PRIx64 " sp=0xc%09" PRIx64 " pc=0x47d661\n",
	       sp + 0x98, sp + 0x90);
	printf("created by net/http.(*Server).Serve in goroutine %" PRIu64
	       "\n\t/usr/local/go/src/net/http/server.go:3454 +0x485\n\n",
	       1 + stack % 31);
}

int main(int argc, char **argv)
{
	static char buffer[BUFFER];
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	uint64_t stacks = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("SIGQUIT: quit\nPC=0x47f2a1 m=0 sigcode=0\n\n");
	for (uint64_t id = 1; id <= count; id++)
		goroutine(id, stacks ? mix(id) % stacks : 0);
	return ferror(stdout) != 0;
}
