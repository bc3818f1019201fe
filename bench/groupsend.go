package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// kind is one of the three kinds of chat that the same connections send in.
type kind struct {
	name   string
	copies int64 // to how many others a message is pushed
	group  func(connection int) string
	phases *[]Phase
}

// sends measures the kinds of chat in turns, each time in another order.
func (o *GroupOptions) sends(ctx context.Context, s *stage, r *GroupReport) error {
	c2c := &C2COptions{Setup: s.setup, Connections: o.Connections, InFlight: o.InFlight, Size: o.Size}
	t := newTraffic(s.target(), c2c)
	defer t.close()
	t.usage = s.usage
	if err := t.connect(ctx, o.Connections); err != nil {
		return err
	}
	if err := o.makeGroups(ctx, s, t); err != nil {
		return err
	}
	kinds := []kind{
		{"one", 1, func(int) string { return "" }, &r.OneToOne},
		{"small", smallGroup - 1, smallID, &r.Small},
		{"large", smallGroup - 1, o.largeID, &r.Large},
	}
	for turn := range o.Turns {
		for i := range kinds {
			if err := o.send(ctx, s, t, kinds[(turn+i)%len(kinds)]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *GroupOptions) send(ctx context.Context, s *stage, t *traffic, k kind) error {
	t.copies = k.copies
	for i, d := range t.drivers {
		d.mutex.Lock()
		d.group = k.group(i)
		d.mutex.Unlock()
	}
	profile := s.profile(ctx, "group-"+k.name, o.Warmup, o.Duration)
	found, err := s.traffic(ctx, t, plan{k.name, 0, o.Warmup, o.Duration})
	*k.phases = append(*k.phases, found)
	return errors.Join(err, <-profile)
}

func smallID(connection int) string { return fmt.Sprintf("small-%04d", connection/smallGroup) }

// largeID names the large group of a connection; only communities have more members than others.
func (o *GroupOptions) largeID(connection int) string {
	id := fmt.Sprintf("large-%04d", connection/smallGroup)
	if o.Members > usualMembers {
		return "@TGS#_" + id
	}
	return id
}

// makeGroups has the back end make all groups. The stored members of the large ones are the same accounts.
func (o *GroupOptions) makeGroups(ctx context.Context, s *stage, t *traffic) error {
	admin, err := s.backEnd(s.nodes[0])
	if err != nil {
		return err
	}
	stored := make([]string, o.Members-smallGroup)
	for i := range stored {
		stored[i] = fmt.Sprintf("stored-%07d", i)
	}
	if err := admin.importAccounts(ctx, stored); err != nil {
		return err
	}
	largeType := "Public"
	if o.Members > usualMembers {
		largeType = "Community"
	}
	watch := stopwatch{now()}
	for i := 0; i < o.Connections; i += smallGroup {
		var online []string
		for k := range smallGroup {
			online = append(online, t.target.user(i+k))
		}
		if err := admin.makeGroup(ctx, smallID(i), "Public", online); err != nil {
			return err
		}
		if err := admin.makeGroup(ctx, o.largeID(i), largeType, online); err != nil {
			return err
		}
		if err := admin.importMembers(ctx, o.largeID(i), stored); err != nil {
			return err
		}
	}
	s.progress("%d groups of %d and as many of %d members made within %.1f s", o.Connections/smallGroup, smallGroup, o.Members,
		float64(watch.ns())/float64(time.Second))
	return nil
}

// importAccounts makes accounts, in steps.
func (b *backEnd) importAccounts(ctx context.Context, names []string) error {
	const step = 100
	return inSteps(names, step, func(some []string) error {
		list := make([]map[string]any, 0, len(some))
		for _, name := range some {
			list = append(list, map[string]any{"UserID": name})
		}
		return b.call(ctx, "im_open_login_svc/multiaccount_import", map[string]any{"AccountList": list}, &struct{}{})
	})
}

// makeGroup makes a group; the first member owns it.
func (b *backEnd) makeGroup(ctx context.Context, id, of string, members []string) error {
	return b.call(ctx, "group_open_http_svc/create_group", map[string]any{
		"Type": of, "Name": id, "GroupId": id, "Owner_Account": members[0], "MemberList": memberList(members[1:]),
	}, &struct{}{})
}

// importMembers adds members to a group, in steps.
func (b *backEnd) importMembers(ctx context.Context, id string, names []string) error {
	const step = 300
	return inSteps(names, step, func(some []string) error {
		body := map[string]any{"GroupId": id, "MemberList": memberList(some)}
		return b.call(ctx, "group_open_http_svc/import_group_member", body, &struct{}{})
	})
}

func memberList(names []string) []map[string]any {
	list := make([]map[string]any, 0, len(names))
	for _, name := range names {
		list = append(list, map[string]any{"Member_Account": name})
	}
	return list
}

func inSteps(names []string, step int, do func([]string) error) error {
	for from := 0; from < len(names); from += step {
		if err := do(names[from:min(from+step, len(names))]); err != nil {
			return err
		}
	}
	return nil
}
