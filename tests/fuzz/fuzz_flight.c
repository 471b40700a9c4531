// SPDX-License-Identifier: Apache-2.0
// A flight recorder's memory in the hands of a process gone wild.
#include "evidence/recorded/flight.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory *memory = memory_new();
	struct flight *flight = NULL, *found = NULL;
	struct flight_write birth;
	size_t count;

	error_free(flight_read(data, size, place_whole("input"), &flight));
	if (flight) {
		flight_writes(flight, &count);
		flight_failures(flight, &count);
		flight_reads(flight, &count);
		flight_made(flight, 0xc000010000, &birth);
		flight_grown(flight, 0xc000010000, &birth);
	}
	memory_add(memory, 0x10000, data, size, place_whole("input"));
	error_free(flight_find(memory, &found));
	flight_close(found);
	flight_close(flight);
	memory_free(memory);
	return 0;
}
