package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
)

func TestHistogramIsCloseToTheTruth(t *testing.T) {
	h, values := new(histogram), []int64{}
	for range 100_000 {
		ns := int64(rand.ExpFloat64() * float64(3*time.Millisecond))
		values = append(values, ns)
		h.record(ns)
	}
	slices.Sort(values)
	got := h.summary()
	for q, found := range map[float64]float64{0.5: got.P50, 0.9: got.P90, 0.99: got.P99, 0.999: got.P999} {
		want := milliseconds(values[int(q*float64(len(values)))])
		if found < want || found > want*1.02 {
			t.Errorf("p%v is %v ms, want %v ms or up to 2 %% more", 100*q, found, want)
		}
	}
	if got.Max != milliseconds(values[len(values)-1]) || got.Count != int64(len(values)) {
		t.Errorf("%+v", got)
	}
}

func TestBucketsHoldTheirValues(t *testing.T) {
	for _, ns := range []int64{-1, 0, 1, 63, 64, 127, 128, 129, 1000, 123_456_789, 1<<40 - 1, 1 << 40, 1 << 62} {
		bucket := bucketOf(ns)
		if bucket < 0 || bucket >= buckets {
			t.Fatalf("%d ns: bucket %d of %d", ns, bucket, buckets)
		}
		if ns < 1<<maxBits && (ceiling(bucket) < ns || bucket > 0 && ceiling(bucket-1) >= ns) {
			t.Errorf("%d ns is in the bucket up to %d", ns, ceiling(bucket))
		}
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	m := newMeter(0, 1<<40)
	if n := testing.AllocsPerRun(1000, func() { m.ackOne(5, 1000, true); m.deliverOne(5, 1000, false) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// In an open loop a sample belongs to the window in which it was due, in a closed loop to that in which it came.
func TestWindows(t *testing.T) {
	for _, row := range []struct {
		name              string
		due, at           int64
		open              bool
		arrived, measured int64
	}{
		{"inside", 110, 120, false, 1, 1}, {"inside", 110, 120, true, 1, 1},
		{"sent before", 90, 120, false, 1, 1}, {"due before", 90, 120, true, 1, 0},
		{"came after", 190, 210, false, 0, 0}, {"due inside, came after", 190, 210, true, 0, 1},
	} {
		m := newMeter(100, 200)
		m.ackOne(row.due, row.at, row.open)
		if m.windowAcked.Load() != row.arrived || m.ack.total() != row.measured || m.acked.Load() != 1 {
			t.Errorf("%s, open %v: %d arrived, %d measured", row.name, row.open, m.windowAcked.Load(), m.ack.total())
		}
	}
}

func TestPayloadCarriesItsMoment(t *testing.T) {
	payload := newPayload(300)
	const moment = 1_234_567_890_123_456_789
	stamp(payload, moment)
	if len(payload) != 300 {
		t.Errorf("%d bytes", len(payload))
	}
	content := payload[len(`[{"MsgType":"TIMTextElem","MsgContent":`) : len(payload)-2]
	got, ok := readStamp([]client.Element{{Content: content}})
	if !ok || got != moment {
		t.Errorf("read %d, %v from %s", got, ok, content)
	}
	for _, other := range []client.Message{{}, {Elements: []client.Element{client.Text("hello")}}, {Elements: []client.Element{client.Text("0123456789x23456789")}}} {
		if got, ok := readStamp(other.Elements); ok {
			t.Errorf("read %d from %v", got, other)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := median(row.values); got != row.want {
			t.Errorf("median of %v is %v", row.values, got)
		}
	}
}
