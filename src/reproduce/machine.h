// SPDX-License-Identifier: Apache-2.0
// What measured figures depend on: the machine, and what else it was doing.
#pragma once

struct machine {
	unsigned processors; /**< that this program may use */
	double load;         /**< one minute's average; 0 where it is not known */
};

struct machine machine_now(void);
/** As uname has it: "x86_64". */
const char *machine_architecture(void);
