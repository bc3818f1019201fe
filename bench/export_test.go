package bench

import (
	"context"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// The server's metrics that a run at a server of somebody else reads.
const (
	AckedMetric   = ackedMetric
	CommitsMetric = commitsMetric
)

// MembersOfProcess is how many members one process can have.
func MembersOfProcess() (int, error) { return membersOfProcess() }

// OneLogin is a run's account, alice, that is logged in once.
type OneLogin struct {
	run   *torture
	login *login
}

// LogInOnce logs her in at a server.
func LogInOnce(ctx context.Context, at There, app uint32, key string) (*OneLogin, error) {
	run := &torture{report: &TortureReport{}, crowd: newCrowd(0, 1, 0, 1)}
	run.stage = &stage{app: im.AppID(app), key: key, nodes: []*node{{address: strings.TrimPrefix(at.URL, "http://")}}}
	b := &loginBook{user: "alice", of: run, chance: newChance(1, "account", 0)}
	run.accounts = []*loginBook{b}
	l, err := b.logIn(ctx, run.stage.nodes[0], platformWeb, time.Hour)
	if err != nil {
		return nil, err
	}
	b.logins, b.sessions = []*login{l}, []*session{l.on}
	return &OneLogin{run, l}, nil
}

// End has the run believe that the login has ended.
func (l *OneLogin) End(ago time.Duration, why string) { l.login.end(now().Add(-ago), why) }

// EndHere has it believe that the login is on this connection no more.
func (l *OneLogin) EndHere(ago time.Duration, why string) { l.login.on.end(now().Add(-ago), why) }

// HangUp closes the connection.
func (l *OneLogin) HangUp() { l.login.on.close() }

// Check is what the run finds at its end, but for what it counts.
func (l *OneLogin) Check(ctx context.Context) (LoginTally, []string) {
	l.run.checkLogins(ctx)
	found := l.run.report.LoginTally
	found.Logins = 0
	return found, l.run.report.Findings
}
