// Package top shows the live rooms of a running node as a table that is made anew again and again. It asks the node at its REST door, as a
// back end does, and knows nothing else of it.
package top

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/usersig"
)

// Options say what is shown.
type Options struct {
	// URL is where the node takes REST calls, such as http://127.0.0.1:8080.
	URL string
	// App and Key are the application's, Admin one of its administrators, in whose name the node is asked.
	App   im.AppID
	Key   string
	Admin string
	// Rooms is how many rooms are shown, at most MostRooms.
	Rooms int
	// Every is how often a table is made, and over how long rates are taken: whole seconds, 1 to 60.
	Every time.Duration
	// Count is how many tables are made; 0 has no end.
	Count int
	// Redraw says that each table takes the place of the one before, as screens understand it.
	Redraw bool
	// Begin is now: the UserSig that the node is asked with lasts for a day from then.
	Begin time.Time
}

// MostRooms is how many rooms a node lists at most.
const MostRooms = 200

// toTop has a screen begin anew in its first line.
const toTop = "\x1b[H\x1b[2J"

// Show writes tables until ctx ends or there were enough. An error is the node's refusal, an *im.Error, or says why it cannot be asked.
func Show(ctx context.Context, w io.Writer, o Options) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		found, err := o.ask(ctx, address)
		if err != nil {
			return err
		}
		if o.Redraw {
			_, _ = io.WriteString(w, toTop)
		}
		if err := found.write(w); err != nil || n == o.Count {
			return err
		}
		if !o.wait(ctx) {
			return nil
		}
	}
}

// wait returns when the next table is to be made; false: there is to be none.
func (o *Options) wait(ctx context.Context) bool {
	timer := time.NewTimer(o.Every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// address is that of the call.
func (o *Options) address() (string, error) {
	sig, err := usersig.Sign(uint32(o.App), o.Key, o.Admin, 24*time.Hour, o.Begin)
	if err != nil {
		return "", err
	}
	query := url.Values{
		"sdkappid": {fmt.Sprint(o.App)}, "identifier": {o.Admin}, "usersig": {sig}, "random": {fmt.Sprint(uint32(o.Begin.UnixNano()))},
		"contenttype": {"json"},
	}
	return strings.TrimRight(o.URL, "/") + "/v4/magpie_live/list_ledgers?" + query.Encode(), nil
}

// sums is what became of messages.
type sums struct {
	Received, Pushed, Given, Skipped int64
	Dropped                          map[string]int64
}

// ledgers is what a node says of its live rooms.
type ledgers struct {
	ErrorCode, RoomNum int
	ErrorInfo          string
	NodeID             int64 `json:"NodeId"`
	Seconds            int64
	Recent             sums
	LedgerList         []struct {
		GroupID                        string `json:"GroupId"`
		InsideNum, HereNum, WaitingNum int64
		Recent, Total                  sums
	}
}

func (o *Options) ask(ctx context.Context, address string) (*ledgers, error) {
	const patience, longest = 10 * time.Second, 1 << 20
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(map[string]any{"Seconds": int(o.Every.Seconds()), "Limit": o.Rooms})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the node at --url=%s: %w", o.URL, errors.Unwrap(err)) // the address that was asked holds a UserSig
	}
	defer func() { _ = response.Body.Close() }()
	found := &ledgers{}
	if err := json.NewDecoder(io.LimitReader(response.Body, longest)).Decode(found); err != nil {
		return nil, fmt.Errorf("--url=%s does not answer as a node does (%s): %w", o.URL, response.Status, err)
	}
	if found.ErrorCode != 0 {
		return nil, &im.Error{Code: im.Code(found.ErrorCode), Info: found.ErrorInfo}
	}
	return found, nil
}

// write prints the table: rates over the last seconds, and the sums of what was lost since the node has started.
func (l *ledgers) write(w io.Writer) error {
	rate := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/float64(max(l.Seconds, 1))) }
	_, _ = fmt.Fprintf(w, "node %d: %d live rooms; %s messages/s in, %s pushed, %s dropped, %s given to sessions, %s skipped, over %d s\n\n",
		l.NodeID, l.RoomNum, rate(l.Recent.Received), rate(l.Recent.Pushed), rate(l.Recent.drops()), rate(l.Recent.Given),
		rate(l.Recent.Skipped), l.Seconds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "inside\there\tin/s\tpushed/s\tgiven/s\tskipped/s\trate/s\tcrowded/s\twaiting\tdropped\tskipped\t  room\t")
	for i := range l.LedgerList {
		one := &l.LedgerList[i]
		columns := []string{
			fmt.Sprint(one.InsideNum), fmt.Sprint(one.HereNum), rate(one.Recent.Received), rate(one.Recent.Pushed), rate(one.Recent.Given),
			rate(one.Recent.Skipped), rate(one.Recent.Dropped["rate"]), rate(one.Recent.Dropped["crowded"]), fmt.Sprint(one.WaitingNum),
			fmt.Sprint(one.Total.drops()), fmt.Sprint(one.Total.Skipped), "  " + one.GroupID,
		}
		_, _ = fmt.Fprintln(table, strings.Join(columns, "\t")+"\t")
	}
	return table.Flush()
}

// drops is how many were dropped for any reason.
func (s *sums) drops() (all int64) {
	for _, n := range s.Dropped {
		all += n
	}
	return all
}
