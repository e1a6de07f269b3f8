#include "core/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>

#include "core/result.hpp"

namespace volan::core {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double by) override { counter_.Increment(by); }
  double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

prometheus::Labels to_labels(Labels labels) {
  prometheus::Labels map;
  for (const auto& [key, value] : labels) map.emplace(key, value);
  return map;
}

std::vector<double> default_bounds() { return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}; }

}  // namespace

struct Metrics::State {
  using Key = std::pair<std::string, prometheus::Labels>;
  std::mutex mutex;
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  std::map<std::string, char, std::less<>> kinds;  // name to c, g or h
  std::map<Key, std::unique_ptr<Counter>> counters;
  std::map<Key, std::unique_ptr<Gauge>> gauges;
  std::map<Key, std::unique_ptr<Histogram>> histograms;
  std::vector<std::function<void()>> refreshers;

  void check_kind(std::string_view name, char kind) {
    const auto [entry, is_new] = kinds.emplace(name, kind);
    VOLAN_CHECK(is_new || entry->second == kind, "one metric name has one type");
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  state_->check_kind(name, 'c');
  auto& slot = state_->counters[{std::string(name), to_labels(labels)}];
  if (!slot) {
    auto& family = prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(state_->registry);
    slot = std::make_unique<PrometheusCounter>(family.Add(to_labels(labels)));
  }
  return *slot;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(state_->mutex);
  state_->check_kind(name, 'g');
  auto& slot = state_->gauges[{std::string(name), to_labels(labels)}];
  if (!slot) {
    auto& family = prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(state_->registry);
    slot = std::make_unique<PrometheusGauge>(family.Add(to_labels(labels)));
  }
  return *slot;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels, std::vector<double> bounds) {
  const std::lock_guard lock(state_->mutex);
  state_->check_kind(name, 'h');
  auto& slot = state_->histograms[{std::string(name), to_labels(labels)}];
  if (!slot) {
    auto& family = prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(state_->registry);
    if (bounds.empty()) bounds = default_bounds();
    slot = std::make_unique<PrometheusHistogram>(family.Add(to_labels(labels), bounds));
  }
  return *slot;
}

void Metrics::on_scrape(std::function<void()> refresh) {
  const std::lock_guard lock(state_->mutex);
  state_->refreshers.push_back(std::move(refresh));
}

std::string Metrics::text() {
  std::vector<std::function<void()>> refreshers;
  {
    const std::lock_guard lock(state_->mutex);
    refreshers = state_->refreshers;
  }
  // Outside of the lock: a refresher may look metrics up.
  for (const auto& refresh : refreshers) refresh();
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace volan::core
