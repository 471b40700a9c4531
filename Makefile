# What a newcomer needs: `make demo`, `make check`. Everything else is Meson's, in build/.
BUILD := build

.PHONY: soak setup build static demo check unit e2e accuracy layouts format bench fuzz clean

setup:
	@tools/setup.sh

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --buildtype=release >/dev/null

build: setup $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

# One file that runs on any Linux of this processor: build-static/mapfault. GLib's look-ups of users, of which the
# linker warns, are not called.
static: setup
	@test -f $(BUILD)-static/build.ninja || LDFLAGS='-static -Wl,--no-warnings' \
		meson setup $(BUILD)-static --buildtype=release -Dprefer_static=true >/dev/null
	@ninja -C $(BUILD)-static --quiet mapfault

demo: build
	@demo/run.sh $(BUILD)/mapfault

# Every test: lints, unit tests under the sanitizers, fuzz corpora, whole runs on real crashes.
check: build
	@tools/check_code.sh
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory demo
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory e2e

unit: setup
	@test -f $(BUILD)-sanitized/build.ninja || meson setup $(BUILD)-sanitized -Db_sanitize=address,undefined >/dev/null
	@meson test -C $(BUILD)-sanitized --print-errorlogs

e2e: build
	@MAPFAULT_TEST_JSON=$(BUILD)/tests/unit/report/test_report_json python3 -m pytest -q tests/e2e

# Long runs on live processes: watchers killed, attached and let go of, a thousand times and more.
soak: build
	@MAPFAULT_KILLS=1000 MAPFAULT_CYCLES=1000 python3 -m pytest -q tests/e2e/test_attach.py tests/e2e/test_safety.py
	@MAPFAULT_CYCLES=10000 python3 -m pytest -q tests/e2e/test_record.py -k under_load
	@tools/recorder_std.py

# The whole accuracy table, every Go version: hours on a small machine.
accuracy: build
	@tools/accuracy.py --repeat 3 --write docs/ACCURACY.md

# Regenerates the tables of src/golang from real toolchains; see docs/HOWTO_ADD_GO_VERSION.md.
layouts: setup
	@cd tools/layouts && go run .

# On large cores, next to Delve where it is installed; see docs/PERFORMANCE.md.
bench: build
	@bench/run.sh

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

fuzz: setup
	@tests/fuzz/run.sh

clean:
	@rm -rf $(BUILD) $(BUILD)-static $(BUILD)-sanitized
