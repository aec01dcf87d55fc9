package intake

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hearback/desk"
	"hearback/ticketstore"
)

// Metrics counts what the belt does. Labels are outcomes only: no ticket, channel or person.
type Metrics struct {
	envelopes prometheus.Counter
	commits   prometheus.Counter
	outcomes  *prometheus.CounterVec
	filing    prometheus.Histogram
}

// NewMetrics makes the belt's metrics and registers them with r (nil: kept private).
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		envelopes: prometheus.NewCounter(prometheus.CounterOpts{Name: "hearback_intake_accepted_total", Help: "Envelopes made durable, duplicates included."}),
		commits:   prometheus.NewCounter(prometheus.CounterOpts{Name: "hearback_intake_accepts_total", Help: "Accept calls answered."}),
		outcomes:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hearback_intake_outcomes_total", Help: "Envelopes settled, by outcome."}, []string{"outcome"}),
		filing:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "hearback_intake_filing_seconds", Help: "Time of one filing transaction.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
	}
	if r != nil {
		r.MustRegister(m.envelopes, m.commits, m.outcomes, m.filing)
	}
	return m
}

func (m *Metrics) accepted(envelopes, accepts int) {
	m.envelopes.Add(float64(envelopes))
	m.commits.Add(float64(accepts))
}

func (m *Metrics) filed(filed []ticketstore.Filed, took time.Duration) {
	m.filing.Observe(took.Seconds())
	for _, f := range filed {
		if !f.Skipped {
			m.outcome(f.Outcome)
		}
	}
}

func (m *Metrics) outcome(o desk.Outcome) { m.outcomes.WithLabelValues(string(o)).Inc() }
