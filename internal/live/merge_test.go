package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// What two nodes heard is put in the order of its time, each message once, with the texts of the newest alone; a node never keeps
// more texts than it may.
func TestMerge(t *testing.T) {
	t.Parallel()
	l := alone(t, db.Options{Dir: t.TempDir()})
	r, now := l.open(&im.App{ID: 1}, &group.Group{ID: 7, App: 1}), l.clock.Now().Unix()
	at := func(numbers ...int64) (all []heard) {
		for _, n := range numbers {
			all = append(all, heard{Number: n, Time: now + n, Text: wire.Raw(`"text"`)})
		}
		return all
	}
	l.retain(r, 2, at(2, 4, 6)...)
	l.merge(r, 2, at(1, 3, 4, 5))
	var order, texts []int64
	for _, one := range r.backlog.messages {
		order = append(order, one.Number)
		if one.Text != nil {
			texts = append(texts, one.Number)
		}
	}
	if !slices.Equal(order, []int64{1, 2, 3, 4, 5, 6}) || !slices.Equal(texts, []int64{5, 6}) {
		t.Errorf("heard are %v, with the texts of %v", order, texts)
	}
	if kept, sum := l.kept.Load(), r.backlog.bytes; sum != 2*len(`"text"`) || kept != int64(sum) {
		t.Errorf("%d bytes are kept, and the node counts %d", sum, kept)
	}
	huge := wire.Raw(`"` + strings.Repeat("x", backlogBytes/2) + `"`)
	l.retain(r, 10, heard{Number: 7, Time: now, Text: huge}, heard{Number: 8, Time: now, Text: huge})
	if kept := l.kept.Load(); kept > backlogBytes || r.backlog.find(8).Text == nil || r.backlog.find(7).Text != nil {
		t.Errorf("%d bytes are kept", kept)
	}
	l.forget(r)
	if kept := l.kept.Load(); kept != 0 {
		t.Errorf("%d bytes are kept when the room is forgotten", kept)
	}
}
