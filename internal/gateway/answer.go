package gateway

// answer takes the request's reply, nil being none. It is called once for each request: while the request is served, or
// afterwards by another goroutine.
func (r *request) answer(reply []byte) {
	s := r.turn.session
	s.mutex.Lock()
	again, serving := r.answered, r.serving
	if !again {
		r.reply, r.answered = reply, true
	}
	s.mutex.Unlock()
	if again || serving {
		return // served concludes it
	}
	s.conclude(r, (*outbox).start)
	s.settle()
	s.gateway.crew.done()
}

// served is the end of a request's serving, and tells whether it stepped aside. What is not answered yet is under way from
// then on; the crew counts it.
func (s *Session) served(r *request) (aside bool) {
	s.mutex.Lock()
	r.serving, aside = false, r.turn.aside
	if !r.answered {
		s.gateway.crew.add()
		if !aside {
			r.underWay = true
			s.post().underWay++
		}
		s.mutex.Unlock()
		return aside
	}
	s.mutex.Unlock()
	s.conclude(r, (*outbox).flush)
	return aside
}

// giveUp is served for a request whose serving failed: it has no reply.
func (s *Session) giveUp(r *request) (aside bool) {
	s.mutex.Lock()
	serving, aside := r.serving, r.turn.aside
	s.mutex.Unlock()
	if !serving {
		return aside // it was concluded
	}
	r.answer(nil)
	return s.served(r)
}

// conclude writes the reply of an answered request, and makes way for those that wait for it.
func (s *Session) conclude(r *request, write func(*outbox)) {
	defer s.makeWay(r) // also if what is done after the reply panics
	if r.reply != nil {
		s.reply(newReply(s.variant, s.gateway.config.CompressAbove, &r.Head, r.reply), r.asker.after, write)
	}
}

// makeWay takes a concluded request out of the mailbox.
func (s *Session) makeWay(r *request) {
	r.ctx.end()
	_ = r.frame.Close()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	r.turn.end()
	m := s.mailbox
	if !r.underWay {
		return
	}
	m.underWay--
	if m.held != nil && !m.working && m.mayBegin(m.held) {
		m.work()
	}
	m.rest()
}
