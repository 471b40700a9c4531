// SPDX-License-Identifier: Apache-2.0
// The largest sizes that a sound program or core could state. Anything beyond is refused or cut,
// with an error or a gap, before memory is asked for.
#pragma once

#define LIMIT_GOROUTINES      (16u << 20) /* allgs entries */
#define LIMIT_THREADS         (1u << 16)
#define LIMIT_MAPPINGS        (1u << 20) /* of one live process */
#define LIMIT_FRAMES          4096       /* of one goroutine, inlined ones included */
#define LIMIT_MODULES         1024
#define LIMIT_FUNCTIONS       (8u << 20) /* of one module */
#define LIMIT_NAME_BYTES      (64u << 10)
#define LIMIT_TYPE_DEPTH      32
#define LIMIT_STACK_BYTES     (1u << 30) /* of one goroutine: the runtime's own maximum is 1 GB */
#define LIMIT_NOTE_BYTES      (256u << 20)
#define LIMIT_PROGRAM_HEADERS (1u << 20)
#define LIMIT_IMAGE_SEGMENTS  256           /* of one binary; linkers make about ten */
#define LIMIT_INFLATED_BYTES  (64ull << 30) /* of a compressed core */
#define LIMIT_LINE_BYTES      (16u << 20)   /* of a log: what is longer is cut */
#define LIMIT_DUMP_TEXT_BYTES (256u << 20)  /* names, places and words of one goroutine dump */
#define LIMIT_DUMP_CALL_BYTES (40u << 20)   /* arguments kept beside each stack's first */
#define LIMIT_DUMP_MESSAGES   (1u << 16)
#define LIMIT_DUMP_SECTIONS   (1u << 12)
#define LIMIT_MAP_ENTRIES     (1ull << 32)
#define LIMIT_PROFILE_BYTES   (256u << 20) /* of a profile, inflated; 700,000 stacks take 75 MB */
