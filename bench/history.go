package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/im"
)

// HistoryOptions say what `magpie bench history` measures.
type HistoryOptions struct {
	Setup
	// Small and Messages are the lengths of the two conversations.
	Small, Messages int
	// Pages is how many are read of each sort, and Page how many messages each has.
	Pages, Page int
	Size        int
}

// HistoryReport is what `magpie bench history` found.
type HistoryReport struct {
	Store    string `json:"store"`
	Small    int    `json:"small"`
	Messages int    `json:"messages"`
	Page     int    `json:"page"`
	// FillPerSecond is the rate at which the messages were written straight into the store.
	FillPerSecond float64       `json:"fill_per_second"`
	Pages         []HistoryPage `json:"pages"`

	flags map[string]any
}

// HistoryPage is the latency of one sort of page in the short and in the long conversation.
type HistoryPage struct {
	Door     string  `json:"door"`     // admin_getroammsg, or getroammsg of a client
	Position string  `json:"position"` // newest, or a random message of the conversation
	Small    Latency `json:"small"`
	Large    Latency `json:"large"`
	// Ratio is the large conversation's median to the small one's.
	Ratio float64 `json:"ratio"`
}

// Validate refuses what cannot be measured. A page of admin_getroammsg ends early when its bodies are long, and then there
// would be less to read on one side.
func (o *HistoryOptions) Validate() error {
	switch {
	case o.Size < minSize:
		return fmt.Errorf("--size: want at least %d bytes", minSize)
	case o.Page < 1 || o.Page > im.MaxHistoryPage || o.Page*o.Size > im.MaxHistoryReplyBytes:
		return fmt.Errorf("--page: want 1 to %d messages with at most %d bytes in all", im.MaxHistoryPage, im.MaxHistoryReplyBytes)
	case o.Small <= o.Page || o.Messages <= o.Page || o.Pages < 1:
		return errors.New("--pages: want at least 1; --small, --messages: more than a page")
	}
	return nil
}

// History measures whether a page of history costs the same in a long conversation as in a short one.
func History(ctx context.Context, o HistoryOptions) (report *HistoryReport, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s, err := newStage(ctx, o.Setup, 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	small, large := newFilled(0, o.Small), newFilled(2, o.Messages)
	started := now()
	if err := s.fill(ctx, o.Size, small, large); err != nil {
		return nil, err
	}
	report = &HistoryReport{Store: o.store(), Small: o.Small, Messages: o.Messages, Page: o.Page}
	report.flags = map[string]any{"small": o.Small, "messages": o.Messages, "pages": o.Pages, "page": o.Page, "size": o.Size}
	report.FillPerSecond = float64(o.Small+o.Messages) / now().Sub(started).Seconds()
	s.progress("filled %d messages at %.0f/s", o.Small+o.Messages, report.FillPerSecond)
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	report.Pages, err = o.measure(ctx, s, small, large)
	return report, err
}

// door reads the page of messages before message i, which is 0 for the newest end, and returns their sequences.
type door struct {
	name string
	read func(ctx context.Context, f *filled, i int) ([]int64, error)
}

func (o *HistoryOptions) measure(ctx context.Context, s *stage, small, large *filled) ([]HistoryPage, error) {
	admin, err := s.backEnd(s.nodes[0])
	if err != nil {
		return nil, err
	}
	readers := map[*filled]*client.Client{}
	there := s.target()
	for user, f := range map[int]*filled{0: small, 2: large} {
		one, err := there.dial(ctx, user, user+1, func(_ int, o *client.Options) { o.NoSync = true })
		if err != nil {
			return nil, err
		}
		defer hangUp(one)
		readers[f] = one[0]
	}
	doors := []door{
		{"admin_getroammsg", func(ctx context.Context, f *filled, i int) ([]int64, error) { return o.askAdmin(ctx, admin, f, i) }},
		{"getroammsg", func(ctx context.Context, f *filled, i int) ([]int64, error) {
			return o.askClient(ctx, readers[f], f, i)
		}},
	}
	var pages []HistoryPage
	for _, d := range doors {
		for _, newest := range []bool{true, false} {
			page, err := o.compare(ctx, d, newest, small, large)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			pages = append(pages, *page)
			s.progress("%s, %s: %s ms and %s ms", d.name, page.Position, short(page.Small.P50), short(page.Large.P50))
		}
	}
	return pages, nil
}

// compare reads pages of both conversations in turn, so that what else happens on the machine meets both.
func (o *HistoryOptions) compare(ctx context.Context, d door, newest bool, small, large *filled) (*HistoryPage, error) {
	const warm = 20
	times := map[*filled]*histogram{small: {}, large: {}}
	watch := stopwatch{now()}
	for k := range warm + o.Pages {
		for _, f := range []*filled{small, large} {
			at, last := 0, f.n
			if !newest {
				at = o.Page + 1 + rand.IntN(f.n-o.Page)
				last = at - 1
			}
			started := watch.ns()
			found, err := d.read(ctx, f, at)
			took := watch.ns() - started
			if err = errors.Join(err, o.check(found, last)); err != nil {
				return nil, err
			}
			if k >= warm {
				times[f].record(took)
			}
		}
	}
	page := &HistoryPage{Door: d.name, Position: "random", Small: times[small].summary(), Large: times[large].summary()}
	if newest {
		page.Position = "newest"
	}
	page.Ratio = ratio(page.Large.P50, page.Small.P50)
	return page, nil
}

// check makes sure that the page is the one that was asked for: a fast wrong answer would be worth nothing.
func (o *HistoryOptions) check(found []int64, last int) error {
	if len(found) != o.Page {
		return fmt.Errorf("a page had %d messages instead of %d", len(found), o.Page)
	}
	for i, seq := range found {
		if want := int64(last - o.Page + 1 + i); seq != want {
			return fmt.Errorf("message %d of a page was number %d instead of %d", i+1, seq, want)
		}
	}
	return nil
}

func (o *HistoryOptions) askAdmin(ctx context.Context, b *backEnd, f *filled, i int) ([]int64, error) {
	request := roamRequest{Operator: f.reader, Peer: f.writer, MaxCnt: o.Page, MaxTime: now().Unix()}
	if i > 0 {
		request.MaxTime, request.LastMsgKey = f.time(i), f.key(i)
	}
	var reply roamReply
	if err := b.call(ctx, "openim/admin_getroammsg", &request, &reply); err != nil {
		return nil, err
	}
	found := make([]int64, 0, len(reply.MsgList))
	for _, m := range reply.MsgList {
		found = append(found, m.MsgSeq)
	}
	return found, nil
}

func (o *HistoryOptions) askClient(ctx context.Context, c *client.Client, f *filled, i int) ([]int64, error) {
	q := client.HistoryQuery{Limit: o.Page}
	if i > 0 {
		q.From = client.Cursor{Time: f.time(i), Key: f.key(i)}
	}
	page, err := c.History(ctx, f.writer, q)
	if err != nil {
		return nil, err
	}
	found := make([]int64, 0, len(page.Messages))
	for i := range page.Messages {
		found = append(found, int64(page.Messages[i].Seq))
	}
	return found, nil
}

// Write prints the report for people.
func (r *HistoryReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "history: pages of %d messages, in conversations of %d and %d, %s (filled at %.0f messages/s)\n",
		r.Page, r.Small, r.Messages, r.Store, r.FillPerSecond)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "ms\tposition\tp50 of %d\tp50 of %d\tratio\tp99 of %d\tp99 of %d\n",
		r.Small, r.Messages, r.Small, r.Messages)
	for _, p := range r.Pages {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%.3f\t%.3f\t%.2f\t%.3f\t%.3f\n",
			p.Door, p.Position, p.Small.P50, p.Large.P50, p.Ratio, p.Small.P99, p.Large.P99)
	}
	return table.Flush()
}

// WriteJSON prints the report for programs.
func (r *HistoryReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// Result is the report as it is kept.
func (r *HistoryReport) Result() *Result {
	figures := []Figure{newFigure("fill_per_second", "filled, messages", "/s", More, r.FillPerSecond)}
	for _, p := range r.Pages {
		key, name := p.Door+"_"+p.Position, p.Door+", "+p.Position
		for _, one := range []struct {
			key, name string
			took      *Latency
		}{{"small", "short", &p.Small}, {"large", "long", &p.Large}} {
			figures = append(figures,
				newFigure(key+"_"+one.key+"_p50_ms", name+", "+one.name+": p50", "ms", Less, one.took.P50),
				newFigure(key+"_"+one.key+"_p99_ms", name+", "+one.name+": p99", "ms", Less, one.took.P99))
		}
		figures = append(figures, newFigure(key+"_ratio", name+": long ÷ short", "", Less, p.Ratio))
	}
	return newResult("history", r.Store, r.flags, figures)
}
