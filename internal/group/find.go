package group

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

const groupColumns = `id, app_id, group_id, type, name, introduction, notification, face_url, owner_id, max_members, member_count,
	apply_option, invite_option, mute_all, custom, info_seq, created_at, changed_at, cleared_sequence, history_before`

func (g *Groups) scan(row db.Scanner) (*Group, error) {
	var (
		one  Group
		name string
	)
	err := row(&one.ID, &one.App, &one.GroupID, &name, &one.Name, &one.Introduction, &one.Notification, &one.FaceURL,
		&one.Owner, &one.MaxMembers, &one.MemberCount, &one.ApplyOption, &one.InviteOption, &one.MuteAll, &one.Custom,
		&one.InfoSeq, &one.Created, &one.Changed, &one.Cleared, &one.History)
	if err != nil {
		return nil, err
	}
	one.Type, _ = g.rules.Type(name)
	return &one, nil
}

// ErrUnknown refuses a group that does not exist, or was destroyed.
func ErrUnknown(groupID string) error {
	return im.Errorf(im.CodeGroupUnknown, "there is no group %.60q", groupID)
}

// Find returns the group of that name, or ErrUnknown. It may be up to cacheFor old if the bus lost the news of a change; its
// MemberCount may be older than that.
func (g *Groups) Find(ctx context.Context, app im.AppID, groupID string) (*Group, error) {
	if found := g.cache.get(cacheKey{app, groupID}); found != nil {
		return found, nil
	}
	if !plausible(groupID) {
		return nil, ErrUnknown(groupID)
	}
	one := &naming{key: cacheKey{app, groupID}, since: g.cache.begin()}
	if err := g.named.Read(ctx, one); err != nil {
		return nil, err
	}
	if one.found == nil {
		return nil, ErrUnknown(groupID)
	}
	g.cache.put(one.found, one.since)
	return one.found, nil
}

// plausible spares the store names that no group has, some of which it cannot be asked for.
func plausible(groupID string) bool {
	return groupID != "" && len(groupID) <= mostIDBytes && !strings.ContainsFunc(groupID, func(c rune) bool { return c <= ' ' || c > '~' })
}

// mostIDBytes is more than the longest name of a group, of which the longest are made here.
const mostIDBytes = 96

// naming is a group that is looked for by its name; found is nil when there is none.
type naming struct {
	key   cacheKey
	since int64
	found *Group
}

// findNamed looks for groups of any application, in one statement for each.
func (g *Groups) findNamed(ctx context.Context, all []*naming) error {
	names := map[im.AppID][]string{}
	for _, one := range all {
		names[one.key.app] = append(names[one.key.app], one.key.groupID)
	}
	for app, groupIDs := range names {
		found, err := g.Read(ctx, g.db, app, groupIDs)
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.key.app == app {
				one.found = found[one.key.groupID]
			}
		}
	}
	return nil
}

// Read returns those of the named groups that exist, by name, without the cache.
func (g *Groups) Read(ctx context.Context, from db.Source, app im.AppID, groupIDs []string) (map[string]*Group, error) {
	found := make(map[string]*Group, len(groupIDs))
	groupIDs = slices.DeleteFunc(slices.Clone(groupIDs), func(groupID string) bool { return !plausible(groupID) })
	rows, err := db.All(ctx, from, g.scan,
		`SELECT `+groupColumns+` FROM chat_group WHERE app_id = $1 AND deleted_at = 0 AND group_id IN ($2...)`, int64(app), db.Texts(groupIDs))
	if err != nil {
		return nil, fmt.Errorf("find groups: %w", err)
	}
	for _, one := range rows {
		found[one.GroupID] = one
	}
	return found, nil
}
