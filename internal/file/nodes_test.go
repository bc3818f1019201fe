package file_test

import (
	"net/http"
	"testing"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// What was uploaded to one node another one gives out, and a ban is in force on both at once. Nodes that were not told where
// all of them find files take none.
func TestNodes(t *testing.T) {
	t.Parallel()
	database, nats, folder := dbtest.URL(t), bustest.StartServer(t), t.TempDir()
	node := func(with ...magpietest.Option) *magpietest.Server {
		return magpietest.Start(t, append(with, magpietest.Database(database), magpietest.Bus(nats.URL()), magpietest.Dir(t.TempDir()))...)
	}
	one, two := node(magpietest.Set(t, "files", folder)), node(magpietest.Set(t, "files", folder))
	to := upload(t, one.Login(t, "alice"), other, "a.txt", []byte("hello"))
	there := two.URL + to.Download[len(one.URL):]
	if got := get(t, there, http.StatusOK); string(got.body) != "hello" {
		t.Errorf("the other node gives %q", got.body)
	}
	two.MustREST(t, "im_cos_msg/forbid_illegal_object", magpietest.M{"RawURL": to.Download}, nil)
	get(t, to.Download, http.StatusForbidden)
	get(t, there, http.StatusForbidden)
	alone := node()
	if e := alone.Login(t, "bob").Call(t, "im_cos_msg.pre_sig", magpietest.M{"file_type": other, "file_name": "a"}, nil); e.ErrorCode != 70402 {
		t.Errorf("a node without a store: %+v", e)
	}
	get(t, alone.URL+to.Download[len(one.URL):], http.StatusNotFound)
}
