// SPDX-License-Identifier: Apache-2.0
#include "findings/pattern.h"

#include <stddef.h>

static const struct pattern patterns[] = {
	{"P1",
	 "an http.Header is shared between goroutines: give each its own with Header.Clone() or "
	 "Request.Clone(ctx); look for work that outlives its handler",
	 {{CLUE_FUNCTION, "net/textproto.MIMEHeader."},
	  {CLUE_FUNCTION, "net/http.Header."},
	  {CLUE_TYPE, "textproto.MIMEHeader"},
	  {CLUE_TYPE, "http.Header"},
	  {CLUE_OWNER, "http.Header"}}},
	{"P2",
	 "an object of a lister or informer is shared with everybody: DeepCopy() it before "
	 "changing it",
	 {{CLUE_FUNCTION, ".DeepCopyInto"},
	  {CLUE_OWNER, "ObjectMeta"},
	  {CLUE_FUNCTION, "k8s.io/client-go/"}}},
	{"P3",
	 "request metadata in a context is shared: copy it (md.Copy()) or append to the outgoing "
	 "context "
	 "instead of writing to it",
	 {{CLUE_TYPE, "metadata.MD"},
	  {CLUE_FUNCTION, "grpc/metadata."},
	  {CLUE_OWNER, "metadata.MD"}}},
	{"P4",
	 "a logger's fields are shared: derive a new entry per goroutine, and never keep a mutable "
	 "field map "
	 "in a global or a context",
	 {{CLUE_TYPE, "logrus.Fields"},
	  {CLUE_FUNCTION, "sirupsen/logrus."},
	  {CLUE_OWNER, "logrus."}}},
	{"P5",
	 "a cache is filled or touched under a read lock, or none: take the write lock to fill it, "
	 "or use "
	 "sync.Once or singleflight; the Get of an LRU cache is a write too",
	 {{CLUE_FUNCTION, "(*RWMutex).RLock"},
	  {CLUE_FUNCTION, "ache)."},
	  {CLUE_FUNCTION, "lru."},
	  {CLUE_OWNER, "ache."}}},
	{"P8",
	 "somebody iterates while another registers: publish a copy on every change (an atomic "
	 "pointer to an "
	 "immutable map) and iterate over that",
	 {{CLUE_FUNCTION, ".Register"},
	  {CLUE_FUNCTION, ".register"},
	  {CLUE_FUNCTION, ".Subscribe"},
	  {CLUE_FUNCTION, ".subscribe"}}},
	{"P9",
	 "an encoder or printer walks the map while it changes: encode under the lock, or encode a "
	 "snapshot",
	 {{CLUE_DETECTOR_FUNCTION, "encoding/json."},
	  {CLUE_DETECTOR_FUNCTION, "encoding/gob."},
	  {CLUE_DETECTOR_FUNCTION, "fmt.(*pp)."},
	  {CLUE_DETECTOR_FUNCTION, "text/template."},
	  {CLUE_DETECTOR_FUNCTION, "internal/fmtsort."},
	  {CLUE_DETECTOR_FUNCTION, "yaml."}}},
	{"P10",
	 "a sync.Map is on the stack of a map fatal: it was copied by value (go vet -copylocks "
	 "finds the place); "
	 "pass a pointer",
	 {{CLUE_FUNCTION, "sync.(*Map)."}}},
	{"P11",
	 "shared defaults or configuration are merged in place: copy before merging, and treat "
	 "shared values "
	 "as read-only",
	 {{CLUE_FUNCTION, ".merge"},
	  {CLUE_FUNCTION, ".Merge"},
	  {CLUE_FUNCTION, "spf13/viper."},
	  {CLUE_FUNCTION, "Defaults"}}},
	{"P13",
	 "a collector runs for several scrapes at once: build its metrics anew in every Collect, "
	 "or lock",
	 {{CLUE_FUNCTION, ".Collect"}, {CLUE_FUNCTION, ".Gather"}}},
	{"P14",
	 "an object of one request is used after it went back to its pool, or by two goroutines: "
	 "copy it "
	 "(gin.Context.Copy()) before leaving the handler",
	 {{CLUE_FUNCTION, "gin.(*Context)."},
	  {CLUE_OWNER, "gin.Context"},
	  {CLUE_FUNCTION, "sync.(*Pool)."}}},
	{"P15",
	 "parallel operations share a provider's state: lock it; -parallelism=1 stops the crashes "
	 "meanwhile",
	 {{CLUE_FUNCTION, "terraform-plugin"}, {CLUE_FUNCTION, "(*ResourceData)."}}},
	{"P17",
	 "workers of one fan-out share a map: give each its own and merge when they are done",
	 {{CLUE_FUNCTION, "errgroup.(*Group)."}, {CLUE_FUNCTION, "sync.(*WaitGroup).Go"}}},
};

const struct pattern *patterns_all(size_t *ret_count)
{
	*ret_count = sizeof(patterns) / sizeof(*patterns);
	return patterns;
}
