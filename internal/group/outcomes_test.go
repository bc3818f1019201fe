package group_test

import (
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/magpietest"
)

// outcome is what a probe of a rule finds in the words of the table.
type probe func(t *testing.T, p *probing) string

// probing is what probes have: a group of alice's of the type, with carol, bob and erin in it, and the doors.
type probing struct {
	*cast
	kind group.Type
	id   string
}

func (p *probing) rest(t *testing.T, command string, body, reply any) int {
	t.Helper()
	return p.doors["rest"](t, command, body, reply).ErrorCode
}

func (p *probing) client(t *testing.T, who, command string, body M) int {
	t.Helper()
	return p.doors[who](t, command, body, nil).ErrorCode
}

// refusedOr says refused of a code, and another word of success.
func refusedOr(code int, success string) string {
	if code != 0 {
		return "refused"
	}
	return success
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// owner is the group's owner as a back end reads it.
func (p *probing) owner(t *testing.T) string {
	t.Helper()
	if got := read(t, p.s, p.id); got.Owner != nil {
		return *got.Owner
	}
	return "?"
}

func (p *probing) create(t *testing.T, door string, more M) int {
	t.Helper()
	return p.doors[door](t, "create_group", magpietest.With(M{"Type": p.kind.String(), "Name": "n"}, more), nil).ErrorCode
}

// ownID is an id that a group of the type may have.
func (p *probing) ownID(suffix string) string {
	if prefix := p.kind.Rule("id.custom.prefix_required"); prefix != "none" {
		return prefix + suffix + p.kind.String()
	}
	return suffix + p.kind.String()
}

// creating are the probes of what a new group may be.
func creating() map[string]probe {
	create := func(door, success string, more M) probe {
		return func(t *testing.T, p *probing) string {
			t.Helper()
			return refusedOr(p.create(t, door, more), success)
		}
	}
	required := func(more M) probe {
		return func(t *testing.T, p *probing) string {
			t.Helper()
			return yesNo(p.create(t, "rest", more) != 0)
		}
	}
	return map[string]probe{
		"id.custom.rest": func(t *testing.T, p *probing) string {
			t.Helper()
			return yesNo(p.create(t, "rest", M{"GroupId": p.ownID("r")}) == 0)
		},
		"id.custom.client": func(t *testing.T, p *probing) string {
			t.Helper()
			return yesNo(p.create(t, "owner", M{"GroupId": p.ownID("c")}) == 0)
		},
		"id.taken": func(t *testing.T, p *probing) string {
			t.Helper()
			p.create(t, "owner", M{"GroupId": p.ownID("t")})
			return refusedOr(p.create(t, "member", M{"GroupId": p.ownID("t")}), "ok")
		},
		"id.taken.same_owner": func(t *testing.T, p *probing) string {
			t.Helper()
			p.create(t, "owner", M{"GroupId": p.ownID("s")})
			return refusedOr(p.create(t, "owner", M{"GroupId": p.ownID("s")}), "ok")
		},
		"id.reuse_after_dismiss": func(t *testing.T, p *probing) string {
			t.Helper()
			p.create(t, "rest", M{"GroupId": p.ownID("d")})
			p.rest(t, "destroy_group", M{"GroupId": p.ownID("d")}, nil)
			return yesNo(p.create(t, "rest", M{"GroupId": p.ownID("d")}) == 0)
		},
		"create.owner.required":                  required(nil),
		"create.name.required":                   required(M{"Name": nil}),
		"create.owner.account_must_exist":        required(M{"Owner_Account": "nobody"}),
		"create.owner.other_than_self.client":    create("owner", "ok", M{"Owner_Account": "bob"}),
		"create.members.initial.unknown_account": create("rest", "ok", M{"MemberList": named("nobody")}),
		"create.option_value_unknown":            create("rest", "ok", M{"ApplyJoinOption": "Never"}),
		"create.max_members.above_cap":           create("rest", "ok", M{"MaxMemberCount": 1_000_001}),
		"create.members.initial.allowed": func(t *testing.T, p *probing) string {
			t.Helper()
			return yesNo(p.create(t, "rest", M{"MemberList": named("bob")}) == 0)
		},
		"create.owner.default.rest": func(t *testing.T, p *probing) string {
			t.Helper()
			if got := made(t, p.s, p.doors["rest"], M{"Type": p.kind.String()}); *got.Owner != "" {
				return *got.Owner
			}
			return "nobody"
		},
		"create.owner.default.client": func(t *testing.T, p *probing) string {
			t.Helper()
			if got := made(t, p.s, p.doors["owner"], M{"Type": p.kind.String()}); *got.Owner != "alice" {
				return *got.Owner
			}
			return "self"
		},
	}
}

// living are the probes of members that come, go, and change.
func living() map[string]probe {
	rest := func(command, success string, more M) probe {
		return func(t *testing.T, p *probing) string {
			t.Helper()
			return refusedOr(p.rest(t, command, magpietest.With(M{"GroupId": p.id}, more), nil), success)
		}
	}
	return map[string]probe{
		"join.already_member": func(t *testing.T, p *probing) string {
			t.Helper()
			return refusedOr(p.client(t, "member", "apply_join_group", M{"GroupId": p.id}), "JoinedSuccess")
		},
		"join.full": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "modify_group_base_info", M{"GroupId": p.id, "MaxMemberNum": 4}, nil)
			return refusedOr(p.client(t, "anyone", "apply_join_group", M{"GroupId": p.id}), "JoinedSuccess")
		},
		"invite.full": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "modify_group_base_info", M{"GroupId": p.id, "MaxMemberNum": 3}, nil)
			return refusedOr(p.rest(t, "add_group_member", magpietest.With(M{"GroupId": p.id}, addFrank), nil), "ok")
		},
		"invite.unknown_account":        rest("add_group_member", "ok", M{"MemberList": named("nobody")}),
		"kick.absent_user":              rest("delete_group_member", "ok", M{"MemberToDel_Account": []string{"dave"}}),
		"ban.owner_as_target":           rest("ban_group_member", "ok", M{"Members_Account": []string{"alice"}, "Duration": 1}),
		"ban.nonmember_as_target":       rest("ban_group_member", "ok", M{"Members_Account": []string{"dave"}, "Duration": 1}),
		"transfer.to_self":              rest("change_group_owner", "ok", M{"NewOwner_Account": "alice"}),
		"profile.edit_in_empty_change":  rest("modify_group_base_info", "ok", nil),
		"profile.custom.undeclared_key": rest("modify_group_base_info", "ok", M{"AppDefinedData": []M{{"Key": "k", "Value": "v"}}}),
		"transfer.target_must_be_member": func(t *testing.T, p *probing) string {
			t.Helper()
			return yesNo(p.rest(t, "change_group_owner", M{"GroupId": p.id, "NewOwner_Account": "dave"}, nil) == 10007)
		},
		"transfer.old_owner_becomes": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "change_group_owner", M{"GroupId": p.id, "NewOwner_Account": "bob"}, nil)
			var reply struct {
				UserIDList []member `json:"UserIdList"`
			}
			p.rest(t, "get_role_in_group", M{"GroupId": p.id, "User_Account": []string{"alice"}}, &reply)
			return reply.UserIDList[0].Role
		},
		"kick.owner_by_rest.group_afterwards": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "delete_group_member", M{"GroupId": p.id, "MemberToDel_Account": []string{"alice"}}, nil)
			return ownerless(p.owner(t))
		},
		"leave.owner.group_afterwards": func(t *testing.T, p *probing) string {
			t.Helper()
			if p.client(t, "owner", "quit_group", M{"GroupId": p.id}) != 0 {
				return "na"
			}
			return ownerless(p.owner(t))
		},
		"create.ownerless_group.works": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "delete_group_member", M{"GroupId": p.id, "MemberToDel_Account": []string{"alice"}}, nil)
			return yesNo(p.client(t, "member", "send_group_msg", magpietest.With(said(nil), M{"GroupId": p.id})) == 0)
		},
		"kick.last_member.group_dismissed": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "delete_group_member", M{"GroupId": p.id, "MemberToDel_Account": []string{"alice", "bob", "carol", "erin"}}, nil)
			return yesNo(p.rest(t, "modify_group_base_info", M{"GroupId": p.id, "Name": "x"}, nil) == 10010)
		},
		"leave.last_member.group_dismissed": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "delete_group_member", M{"GroupId": p.id, "MemberToDel_Account": []string{"alice", "carol", "erin"}}, nil)
			p.client(t, "member", "quit_group", M{"GroupId": p.id})
			return yesNo(p.rest(t, "modify_group_base_info", M{"GroupId": p.id, "Name": "x"}, nil) == 10010)
		},
		"send.to_dismissed": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "destroy_group", M{"GroupId": p.id}, nil)
			return yesNo(p.rest(t, "send_group_msg", magpietest.With(said(nil), M{"GroupId": p.id}), nil) != 10010)
		},
		"history.before_join.default": func(t *testing.T, p *probing) string {
			t.Helper()
			p.rest(t, "send_group_msg", magpietest.With(said(M{"From_Account": "bob"}), M{"GroupId": p.id}), nil)
			p.rest(t, "add_group_member", M{"GroupId": p.id, "Silence": 1, "MemberList": named("dave")}, nil)
			var reply struct{ RspMsgList []M }
			p.doors["anyone"].must(t, "group_msg_get", M{"GroupId": p.id, "ReqMsgNumber": 10}, &reply)
			return yesNo(len(reply.RspMsgList) > 0)
		},
		"history.pull.after_leaving": func(t *testing.T, p *probing) string {
			t.Helper()
			p.client(t, "member", "quit_group", M{"GroupId": p.id})
			return yesNo(p.client(t, "member", "group_msg_get", M{"GroupId": p.id, "ReqMsgNumber": 1}) == 0)
		},
	}
}

func ownerless(owner string) string {
	if owner == "" {
		return "ownerless"
	}
	return owner
}

// What comes of something stands in the table; each of these is done once in a group of each type.
func TestOutcomes(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		c := newCast(t, s)
		for _, kind := range types(t) {
			for _, probes := range []map[string]probe{creating(), living()} {
				for rule, find := range probes {
					p := &probing{c, kind, c.fresh(t, kind, nil)}
					if got, want := find(t, p), kind.Rule(rule); got != want {
						t.Errorf("%s in a %s group is %q, want %q", rule, kind, got, fmt.Sprint(want))
					}
				}
			}
		}
	})
}
