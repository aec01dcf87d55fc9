package delivery

import (
	"github.com/prometheus/client_golang/prometheus"

	"hearback/desk"
)

// Metrics counts attempts by how they ended.
type Metrics struct{ attempts *prometheus.CounterVec }

// NewMetrics makes the belt's metrics and registers them with r (nil: kept private).
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hearback_delivery_attempts_total", Help: "Attempts to send a reply, by the state they led to."}, []string{"state"})}
	if r != nil {
		r.MustRegister(m.attempts)
	}
	return m
}

func (m *Metrics) settled(s desk.DeliveryState) { m.attempts.WithLabelValues(string(s)).Inc() }
