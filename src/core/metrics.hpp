/// Metrics in the Prometheus text format.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace volan::core {

/// Goes up only. Thread-safe; add() is one atomic operation.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double by = 1) = 0;
  virtual double value() const = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Registry of the process. Thread-safe. Look a metric up once and keep the reference: it lives as long as the registry.
/// Names: `volan_` prefix, base unit last, `_total` for counters; labels from a bounded set.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  /// `bounds`: upper bounds of the buckets, ascending. Empty = 1 ms to 60 s in seconds.
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {}, std::vector<double> bounds = {});
  /// Called just before each text(), to set gauges that are read and not counted (memory, queue lengths).
  void on_scrape(std::function<void()> refresh);
  /// The exposition text of all metrics.
  std::string text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace volan::core
