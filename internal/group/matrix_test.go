package group_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/magpietest"
)

// Who may do what stands in the table of rules; each cell of the commands that are served is tried through the doors. alice owns
// the groups, carol is their administrator where the type has some, bob a member, dave nobody; and the administrator of the
// application calls at both doors.

// attempt is one thing that somebody tries in a fresh group.
type attempt struct {
	rule string
	// prepare changes the fresh group first; nil changes nothing.
	prepare M
	command string
	body    M // without GroupId
	// code is the refusal; 10007 when 0.
	code int
}

func profileAttempts() []attempt {
	const modify = "modify_group_base_info"
	return []attempt{
		{rule: "profile.name.edit", command: modify, body: M{"Name": "x"}},
		{rule: "profile.introduction.edit", command: modify, body: M{"Introduction": "x"}},
		{rule: "profile.notification.edit", command: modify, body: M{"Notification": "x"}},
		{rule: "profile.avatar.edit", command: modify, body: M{"FaceUrl": "x"}},
		{rule: "profile.join_option.edit", command: modify, body: M{"ApplyJoinOption": "FreeAccess"}},
		{rule: "profile.invite_option.edit", command: modify, body: M{"InviteJoinOption": "FreeAccess"}},
		{rule: "profile.mute_all.edit", command: modify, body: M{"MuteAllMember": "On"}},
		{rule: "profile.mute_all.edit", command: modify, body: M{"ShutUpAllMember": "On"}},
		{rule: "profile.max_members.edit", command: modify, body: M{"MaxMemberNum": 20}},
		{rule: "dismiss.who", command: "destroy_group"},
		{rule: "transfer.who", command: "change_group_owner", body: M{"NewOwner_Account": "erin"}},
		{rule: "invite.who.FreeAccess", prepare: M{"InviteJoinOption": "FreeAccess"}, command: "add_group_member", body: addFrank},
		{rule: "invite.who.NeedPermission.direct", prepare: M{"InviteJoinOption": "NeedPermission"}, command: "add_group_member", body: addFrank},
		{rule: "invite.who.DisableInvite.client", prepare: M{"InviteJoinOption": "DisableInvite"}, command: "add_group_member", body: addFrank},
		{rule: "admin.set.who.client", command: "modify_group_member_info", body: M{"Member_Account": "erin", "Role": "Admin"}},
		{rule: "members.list.who.client", command: "get_group_member_info", body: M{"Limit": 100, "Offset": 0}},
		{rule: "members.list.who.client", command: "get_specified_group_member_info", body: M{"Member_List_Account": []string{"bob"}}},
	}
}

// dataAttempts are of what members keep of the group together.
func dataAttempts() []attempt {
	attribute, counter := M{"GroupAttr": []M{{"key": "k", "value": "v"}}}, M{"GroupCounter": []M{{"Key": "k", "Value": 1}}}
	return []attempt{
		{rule: "attribute.write.who", command: "set_group_attr", body: attribute},
		{rule: "attribute.write.who", command: "modify_group_attr", body: attribute},
		{rule: "attribute.write.who", command: "clear_group_attr"},
		{rule: "attribute.read.who", command: "get_group_attr"},
		{rule: "counter.write.who", command: "update_group_counter", body: counter},
		{rule: "counter.read.who", command: "get_group_counter"},
	}
}

var addFrank = M{"MemberList": []M{{"Member_Account": "frank"}}}

// types are those whose members are stored; live rooms have stories of their own.
func types(t *testing.T) []group.Type {
	t.Helper()
	rules, err := group.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(rules.Types(), func(kind group.Type) bool { return !kind.Yes("members.stored") })
}

// cast is who tries, by the words of the table; the clients' door and, for rest, the back end's.
type cast struct {
	s     *Server
	doors map[string]caller
	// spare are groups in which nothing has happened yet, by type and preparation.
	spare map[string]string
}

func newCast(t *testing.T, s *Server) *cast {
	t.Helper()
	s.Import(t, "erin", "frank")
	c := &cast{s, map[string]caller{"rest": byREST(s)}, map[string]string{}}
	for who, userID := range map[string]string{"owner": "alice", "admin": "carol", "member": "bob", "anyone": "dave", "appadmin": magpietest.Admin} {
		c.doors[who] = by(s.Login(t, userID))
	}
	return c
}

// fresh makes a group with erin as another member.
func (c *cast) fresh(t *testing.T, kind group.Type, prepare M) string {
	t.Helper()
	members := named("bob", "erin")
	if kind.Allows("role.exist", group.WhoAdmin) {
		members = append(members, M{"Member_Account": "carol", "Role": "Admin"})
	}
	return create(t, c.s, kind.String(), magpietest.With(M{"MemberList": members}, prepare))
}

// roles are the words of those who try at the client door in groups of the type.
func roles(kind group.Type) []string {
	all := []string{"owner", "admin", "member", "anyone", "appadmin"}
	return slices.DeleteFunc(all, func(who string) bool { return who == "admin" && !kind.Allows("role.exist", group.WhoAdmin) })
}

// try makes one attempt and holds the answer against what the table says.
func (c *cast) try(t *testing.T, kind group.Type, who string, a attempt, allowed bool) {
	t.Helper()
	key := fmt.Sprint(kind, a.prepare)
	if c.spare[key] == "" {
		c.spare[key] = c.fresh(t, kind, a.prepare)
	}
	id := c.spare[key]
	e := c.doors[who](t, a.command, magpietest.With(magpietest.With(M{"GroupId": id}, a.body), nil), nil)
	if e.ErrorCode == 0 {
		delete(c.spare, key)
	}
	code := a.code
	if code == 0 {
		code = 10007
	}
	if allowed && e.ErrorCode != 0 || !allowed && e.ErrorCode != code {
		t.Errorf("%s: %s %v of a %s group by %s: %d %s, allowed: %v", a.rule, a.command, a.body, kind, who, e.ErrorCode, e.ErrorInfo, allowed)
	}
}

func TestWhoMay(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		for _, kind := range types(t) {
			for _, a := range slices.Concat(profileAttempts(), dataAttempts()) {
				listed := strings.Split(kind.Rule(a.rule), "+")
				for _, who := range roles(kind) {
					if a.rule == "invite.who.NeedPermission.direct" && kind.Rule("invite.who.NeedPermission.pending") == who {
						continue // who may not add may ask: TestInvitationNeedsAdmin
					}
					allowed := slices.Contains(listed, who) || who == "appadmin" && slices.Contains(listed, "owner")
					c.try(t, kind, who, a, allowed)
				}
				if restRule := strings.HasSuffix(a.rule, ".client") || strings.HasPrefix(a.rule, "invite."); !restRule {
					c.try(t, kind, "rest", a, slices.Contains(listed, "appadmin"))
				}
			}
			c.try(t, kind, "rest", attempt{rule: "invite.who.rest", command: "add_group_member", body: addFrank}, kind.Allows("invite.who.rest", group.WhoAppAdmin))
			setAdmin := attempt{rule: "admin.set.who.rest", command: "modify_group_member_info", body: M{"Member_Account": "erin", "Role": "Admin"}}
			c.try(t, kind, "rest", setAdmin, kind.Allows("admin.set.who.rest", group.WhoAppAdmin))
		}
	})
}

// Who may act upon whom: each pair of roles.
func TestWhoMayWhom(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		names := map[string]string{"owner": "alice", "admin": "carol", "member": "erin"}
		for _, kind := range types(t) {
			for _, rule := range []struct {
				client, rest, command string
				body                  func(target string) M
			}{
				{"kick.who.client", "kick.who.rest", "delete_group_member", func(target string) M { return M{"MemberToDel_Account": []string{target}} }},
				{"mute.member.who.client", "mute.member.who.rest", "modify_group_member_info", func(target string) M { return M{"Member_Account": target, "ShutUpTime": 60} }},
				{"member.namecard.others", "member.namecard.others", "modify_group_member_info", func(target string) M { return M{"Member_Account": target, "NameCard": "x"} }},
			} {
				for _, target := range []string{"owner", "admin", "member"} {
					if target == "admin" && !kind.Allows("role.exist", group.WhoAdmin) {
						continue
					}
					a := attempt{rule: rule.client, command: rule.command, body: rule.body(names[target])}
					for _, who := range roles(kind) {
						if who == target && who != "member" { // that is he himself, of which other rules speak
							continue
						}
						allowed := over(kind, rule.client, who, target) || who == "appadmin" && over(kind, rule.client, "owner", target)
						c.try(t, kind, who, a, allowed)
					}
					c.try(t, kind, "rest", a, over(kind, rule.rest, "appadmin", target))
				}
			}
			for _, target := range []string{"bob", "dave"} { // who is no member may be muted as well
				a := attempt{rule: "mute.member.who.rest", command: "forbid_send_msg", body: M{"Members_Account": []string{target}, "MuteTime": 60}}
				c.try(t, kind, "rest", a, over(kind, "mute.member.who.rest", "appadmin", "member"))
			}
		}
	})
}

func over(kind group.Type, rule, who, target string) bool {
	return slices.ContainsFunc(strings.Split(kind.Rule(rule), ";"), func(pair string) bool {
		actor, targets, _ := strings.Cut(pair, ">")
		return actor == who && slices.Contains(strings.Split(targets, "+"), target)
	})
}

// Who may leave, what one may do to oneself, and how one joins.
func TestOneself(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		names := map[string]string{"owner": "alice", "admin": "carol", "member": "bob"}
		for _, kind := range types(t) {
			for who, self := range names {
				if !slices.Contains(roles(kind), who) {
					continue
				}
				c.try(t, kind, who, attempt{rule: "leave.who", command: "quit_group", code: 10009}, kind.Allows("leave.who", group.Who(who)))
				card := attempt{rule: "member.namecard.own", command: "modify_group_member_info", body: M{"Member_Account": self, "NameCard": "me"}}
				c.try(t, kind, who, card, kind.Allows("member.namecard.own", group.WhoSelf))
				c.try(t, kind, who, attempt{rule: "kick.self", command: "delete_group_member", body: M{"MemberToDel_Account": []string{self}}, code: 10004},
					kind.Rule("kick.self") != "refused")
				mute := attempt{rule: "mute.self", command: "modify_group_member_info", body: M{"Member_Account": self, "ShutUpTime": 60}, code: 10004}
				c.try(t, kind, who, mute, false)
				for _, flag := range []string{"AcceptAndNotify", "AcceptNotNotify", "Discard", "AcceptNotNotifyExceptAt", "Never"} {
					a := attempt{rule: "member.receive_option.values", command: "modify_group_member_info", body: M{"Member_Account": self, "MsgFlag": flag}, code: 10004}
					c.try(t, kind, who, a, kind.OneOf("member.receive_option.values", flag))
				}
			}
			c.try(t, kind, "anyone", attempt{rule: "leave.nonmember", command: "quit_group"}, false)
			for _, option := range []string{"FreeAccess", "NeedPermission", "DisableApply"} {
				outcome := kind.Rule("join.outcome." + option)
				if !kind.OneOf("create.apply_option.allowed.rest", option) {
					continue
				}
				a := attempt{rule: "join.outcome." + option, prepare: M{"ApplyJoinOption": option}, command: "apply_join_group"}
				c.try(t, kind, "anyone", a, outcome != "refused")
			}
		}
	})
}

// What a type has by default, as a group that was just made shows it.
func TestDefaults(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for _, kind := range types(t) {
			got := read(t, s, create(t, s, kind.String(), nil))
			want := []string{
				kind.Rule("create.apply_option.default"), kind.Rule("create.invite_option.default"), kind.Rule("create.max_members.default"),
				kind.Rule("id.default.prefix"),
			}
			has := []string{got.Apply, got.Invite, fmt.Sprint(*got.MaxMemberNum), got.GroupID[:min(len(want[3]), len(got.GroupID))]}
			if !slices.Equal(has, want) {
				t.Errorf("a %s group has %q, want %q", kind, has, want)
			}
			for _, m := range got.MemberList {
				if flag := kind.Rule("member.receive_option.default"); m.MsgFlag == nil || *m.MsgFlag != flag {
					t.Errorf("%s in a %s group: %v, want %s", m.Account, kind, m.MsgFlag, flag)
				}
			}
		}
	})
}
