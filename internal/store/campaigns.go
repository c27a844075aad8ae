package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"restbench/internal/bench"
)

// Filter chooses campaigns. Empty fields do not restrict.
type Filter struct {
	Kinds        []bench.Kind
	States       []bench.State
	ProtocolHash string
	Since        time.Time // started then or later
	Until        time.Time // started before
	After        int64     // numbers above this one
	Limit        int       // the newest so many
}

func campaignColumns(c *bench.Campaign, hash *string) columns {
	return columns{
		{"kind", &c.Kind},
		{"state", &c.State},
		{"protocol_hash", hash},
		{"protocol", jsonAt{&c.Protocol}},
		{"duration", &c.Protocol.Duration}, // after the protocol, which sets it roundly
		{"warmup", &c.Protocol.Warmup},
		{"machine", jsonAt{&c.Machine}},
		{"seed", bitsAt{&c.Seed}},
		{"rounds", &c.Rounds},
		{"started", timeAt{&c.Started}},
		{"finished", timeAt{&c.Finished}},
	}
}

// participantColumns leaves out the campaign and the position.
func participantColumns(p *bench.Participant) columns {
	return columns{
		{"framework", &p.Target.Framework},
		{"edition", &p.Target.Edition},
		{"serving", &p.Target.Serving},
		{"workload", &p.Target.Workload},
		{"signal", &p.Signal},
		{"version", &p.Versions.Framework},
		{"server", &p.Versions.Server},
		{"python", &p.Versions.Python},
		{"packages", jsonAt{&p.Versions.Packages}},
		{"marks", jsonAt{&p.Marks}},
	}
}

// Begin stores a new campaign and returns the number it got; c.ID is not used.
func (s *Store) Begin(ctx context.Context, c bench.Campaign) (int64, error) {
	c.ID = 0
	err := s.transact(ctx, func(tx *sql.Tx) error {
		var err error
		c.ID, err = insertCampaign(ctx, tx, c)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store campaign: %w", err)
	}
	return c.ID, nil
}

// Update stores what has changed of a campaign: state, rounds, participants,
// end. When it has ended, the log of the database is emptied, too.
func (s *Store) Update(ctx context.Context, c bench.Campaign) error {
	err := s.transact(ctx, func(tx *sql.Tx) error { return updateCampaign(ctx, tx, c) })
	if err != nil {
		return fmt.Errorf("store campaign %d: %w", c.ID, err)
	}
	if c.State != bench.StateRunning {
		s.checkpoint(context.WithoutCancel(ctx))
	}
	return nil
}

// CutOff marks the campaigns whose process died. The caller holds the lock that
// every running campaign holds, so none of them is alive.
func (s *Store) CutOff(ctx context.Context) (int, error) {
	var n int64
	err := s.transact(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(context.WithoutCancel(ctx), "UPDATE campaigns SET state = ? WHERE state = ?", bench.StateCutOff, bench.StateRunning)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("mark campaigns that were cut off: %w", err)
	}
	return int(n), nil
}

// insertCampaign keeps the ID that c has, or takes the next one.
func insertCampaign(ctx context.Context, tx *sql.Tx, c bench.Campaign) (int64, error) {
	ctx = context.WithoutCancel(ctx)
	hash := c.Protocol.Hash()
	list := campaignColumns(&c, &hash)
	if c.ID != 0 {
		list = append(list, column{"id", &c.ID})
	}
	result, err := tx.ExecContext(ctx, insertInto("campaigns", list), list.values()...)
	if err != nil {
		return 0, err
	}
	if c.ID, err = result.LastInsertId(); err != nil {
		return 0, err
	}
	return c.ID, insertParticipants(ctx, tx, c)
}

func updateCampaign(ctx context.Context, tx *sql.Tx, c bench.Campaign) error {
	ctx = context.WithoutCancel(ctx)
	hash := c.Protocol.Hash()
	list := campaignColumns(&c, &hash)
	result, err := tx.ExecContext(ctx, "UPDATE campaigns SET "+list.assignments()+" WHERE id = ?", append(list.values(), c.ID)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM participants WHERE campaign = ?", c.ID); err != nil {
		return err
	}
	return insertParticipants(ctx, tx, c)
}

func insertParticipants(ctx context.Context, tx *sql.Tx, c bench.Campaign) error {
	for position, p := range c.Participants {
		list := append(participantColumns(&p), column{"campaign", &c.ID}, column{"position", &position})
		if _, err := tx.ExecContext(ctx, insertInto("participants", list), list.values()...); err != nil {
			return err
		}
	}
	return nil
}

// Campaign returns one campaign, or ErrNotFound.
func (s *Store) Campaign(ctx context.Context, id int64) (bench.Campaign, error) {
	found, err := queryCampaigns(ctx, source{DB: s.read}, "id = ?", id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return bench.Campaign{}, fmt.Errorf("read campaign %d: %w", id, explain(err))
	}
	return found[0], nil
}

// Campaigns returns the chosen campaigns, newest first.
func (s *Store) Campaigns(ctx context.Context, f Filter) ([]bench.Campaign, error) {
	where, args := f.condition()
	found, err := queryCampaigns(ctx, source{DB: s.read}, where, args...)
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", explain(err))
	}
	return found, nil
}

// Count is how many campaigns the filter chooses; its limit does not count.
func (s *Store) Count(ctx context.Context, f Filter) (int, error) {
	f.Limit = 0
	where, args := f.condition()
	var n int
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM campaigns WHERE "+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count campaigns: %w", explain(err))
	}
	return n, nil
}

func (f Filter) condition() (string, []any) {
	terms, args := []string{"1"}, []any(nil)
	term := func(text string, values ...any) {
		terms, args = append(terms, text), append(args, values...)
	}
	if len(f.Kinds) > 0 {
		term("kind IN ("+marks(len(f.Kinds))+")", anys(f.Kinds)...)
	}
	if len(f.States) > 0 {
		term("state IN ("+marks(len(f.States))+")", anys(f.States)...)
	}
	if f.ProtocolHash != "" {
		term("protocol_hash = ?", f.ProtocolHash)
	}
	if !f.Since.IsZero() {
		term("started >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		term("started < ?", f.Until.UnixNano())
	}
	if f.After != 0 {
		term("id > ?", f.After)
	}
	text := strings.Join(terms, " AND ") + " ORDER BY id DESC"
	if f.Limit > 0 {
		text, args = text+" LIMIT ?", append(args, f.Limit)
	}
	return text, args
}

func anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, value := range values {
		list[i] = value
	}
	return list
}

func queryCampaigns(ctx context.Context, db source, where string, args ...any) ([]bench.Campaign, error) {
	found, err := queryBareCampaigns(ctx, db, where, args...)
	if err != nil {
		return nil, err
	}
	return found, addParticipants(ctx, db, found)
}

// queryBareCampaigns leaves the participants out.
func queryBareCampaigns(ctx context.Context, db source, where string, args ...any) ([]bench.Campaign, error) {
	var hash string // derived from the protocol, stored to be searched
	all := func(c *bench.Campaign) columns { return append(campaignColumns(c, &hash), column{"id", &c.ID}) }
	return query(ctx, db, table[bench.Campaign]{"campaigns", all}, where, args...)
}

// addParticipants reads those of all campaigns at once.
func addParticipants(ctx context.Context, db source, to []bench.Campaign) error {
	if len(to) == 0 {
		return nil
	}
	at := make(map[int64]*bench.Campaign, len(to))
	low, high := to[0].ID, to[0].ID
	for i := range to {
		at[to[i].ID] = &to[i]
		low, high = min(low, to[i].ID), max(high, to[i].ID)
	}
	type row struct {
		campaign int64
		bench.Participant
	}
	all := func(r *row) columns {
		return append(participantColumns(&r.Participant), column{"campaign", &r.campaign})
	}
	rows, err := query(ctx, db, table[row]{"participants", all}, "campaign BETWEEN ? AND ? ORDER BY campaign, position", low, high)
	for _, r := range rows {
		if c := at[r.campaign]; c != nil {
			c.Participants = append(c.Participants, r.Participant)
		}
	}
	return err
}
