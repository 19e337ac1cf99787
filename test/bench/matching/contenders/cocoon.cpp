// Cocoon's loop in C++, for `native.ts`, which builds it where there is g++ and feeds it the same
// work as everyone. What its proxy does is described in `cocoon.ts`: an ordered map from connection
// to shared worker records, running jobs times a decayed mean with a clock reading and an
// exponential each time it is read, strictly less wins. With `--cached` the means are kept from one
// completion to the next, which is kinder than the original.
//
// usage: cocoon <work file> [--cached]; then one command a line on stdin, one answer a line:
//   run <steps>              CPU nanoseconds
//   sample <steps> <file>    writes wall nanoseconds of each decision, clock taken off, as doubles
//   fills <file>             writes the slot of every step so far as 32-bit integers

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <vector>

namespace {

constexpr double kDecaySeconds = 600;
constexpr double kLeastRate = 0.1;
constexpr double kBusy = 0.6;

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class DecayingSum {
 public:
  explicit DecayingSum(double value) : value_(value), at_(seconds(CLOCK_MONOTONIC)) {}
  double read() {
    const double now = seconds(CLOCK_MONOTONIC);
    value_ *= std::exp((at_ - now) / kDecaySeconds);
    at_ = now;
    return value_;
  }
  void add(double amount) {
    read();
    value_ += amount;
  }

 private:
  double value_;
  double at_;
};

struct Worker {
  int32_t slot;
  int32_t column = 0, tick = 0, capacity = 0, running = 0;
  double service_ms;
  bool disabled = false;
  DecayingSum jobs, total_ms;
  double cached_ms = 0;

  Worker(int32_t slot, int32_t capacity, double service_ms)
      : slot(slot),
        service_ms(service_ms),
        jobs(kBusy * capacity * kDecaySeconds * 1000 / service_ms),
        total_ms(kBusy * capacity * kDecaySeconds * 1000) {
    cached_ms = mean_ms();
  }
  double mean_ms() {
    const double count = jobs.read();
    return count / kDecaySeconds <= kLeastRate ? 0 : total_ms.read() / count;
  }
};

using Workers = std::map<int64_t, std::shared_ptr<Worker>>;

template <typename Number>
std::vector<Number> column(FILE* file, size_t count) {
  std::vector<Number> values(count);
  if (fread(values.data(), sizeof(Number), count, file) != count) {
    fputs("the work file is too short\n", stderr);
    exit(1);
  }
  return values;
}

struct Specs {
  std::vector<int32_t> model, column_, tick, capacity;
  std::vector<double> service_ms;
  void read(FILE* file, size_t count) {
    model = column<int32_t>(file, count);
    column_ = column<int32_t>(file, count);
    tick = column<int32_t>(file, count);
    capacity = column<int32_t>(file, count);
    service_ms = column<double>(file, count);
  }
};

struct Course {
  int32_t slots, models, steps, in_flight, changes;
  Specs fleet, specs;
  std::vector<int32_t> running, ring, model, max_tick, low, high, ends, at, kind, changed, load;
  std::vector<int32_t> since, left, fills;
  std::vector<Workers> of_model;
  std::vector<Workers*> home;
  std::vector<int64_t> connection;
  int64_t connections = 0;
  int32_t step = 0, change = 0;
  bool cached = false;

  void read(FILE* file) {
    const auto head = column<int32_t>(file, 5);
    slots = head[0], models = head[1], steps = head[2], in_flight = head[3], changes = head[4];
    fleet.read(file, slots);
    running = column<int32_t>(file, slots);
    ring = column<int32_t>(file, in_flight);
    for (auto* each : {&model, &max_tick, &low, &high, &ends}) *each = column<int32_t>(file, steps);
    for (auto* each : {&at, &kind, &changed, &load}) *each = column<int32_t>(file, changes);
    specs.read(file, changes);
    since.assign(in_flight, 0);
    left.assign(slots, 0);
    fills.assign(steps, 0);
    of_model.resize(models);
    home.assign(slots, nullptr);
    connection.assign(slots, 0);
  }

  Worker* known(int32_t slot) { return home[slot]->at(connection[slot]).get(); }

  void offer(int32_t slot, const Specs& from, size_t row) {
    if (!home[slot]) {
      home[slot] = &of_model[from.model[row]];
      connection[slot] = ++connections;
      home[slot]->emplace(connection[slot],
                          std::make_shared<Worker>(slot, from.capacity[row], from.service_ms[row]));
    }
    Worker* worker = known(slot);
    worker->column = from.column_[row];
    worker->tick = from.tick[row];
    worker->capacity = from.capacity[row];
    worker->service_ms = from.service_ms[row];
  }

  int32_t place(int32_t job) {
    Worker* best = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [id, worker] : of_model[model[job]]) {
      if (worker->disabled || worker->running >= worker->capacity) continue;
      if (worker->tick > max_tick[job]) continue;
      const uint32_t mask = worker->column < 32 ? low[job] : high[job];
      if (((mask >> (worker->column & 31)) & 1) == 0) continue;
      const double weight = worker->running * (cached ? worker->cached_ms : worker->mean_ms());
      if (weight >= least) continue;
      best = worker.get();
      least = weight;
    }
    if (!best) return -1;
    best->running++;
    return best->slot;
  }

  void finish(int32_t slot) {
    Worker* worker = known(slot);
    if (worker->running > 0) worker->running--;
    worker->jobs.add(1);
    worker->total_ms.add(worker->service_ms);
    if (cached) worker->cached_ms = worker->mean_ms();
  }

  void apply_changes() {
    for (; change < changes && at[change] <= step; change++) {
      const int32_t slot = changed[change];
      switch (kind[change]) {
        case 0:
          left[slot] = step;
          home[slot]->erase(connection[slot]);
          home[slot] = nullptr;
          break;
        case 3:
          known(slot)->running = load[change];
          break;
        default:
          offer(slot, specs, change);
      }
    }
  }

  void decide() {
    const int32_t place_of_end = ends[step];
    const int32_t ending = ring[place_of_end];
    if (ending >= 0 && since[place_of_end] >= left[ending]) finish(ending);
    const int32_t slot = place(step);
    ring[place_of_end] = slot;
    since[place_of_end] = step;
    fills[step] = slot;
  }
};

template <typename Number>
void write(const char* path, const Number* values, size_t count) {
  FILE* file = fopen(path, "wb");
  if (!file || fwrite(values, sizeof(Number), count, file) != count) {
    perror(path);
    exit(1);
  }
  fclose(file);
}

double clock_seconds() {
  std::vector<double> taken(10001);
  for (double& each : taken) {
    const double start = seconds(CLOCK_MONOTONIC);
    each = seconds(CLOCK_MONOTONIC) - start;
  }
  std::nth_element(taken.begin(), taken.begin() + 5000, taken.end());
  return taken[5000];
}

}  // namespace

int main(int argc, char** argv) {
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : nullptr;
  if (!file) {
    fputs("usage: cocoon <work file> [--cached]\n", stderr);
    return 1;
  }
  Course course;
  course.cached = argc > 2 && strcmp(argv[2], "--cached") == 0;
  course.read(file);
  fclose(file);
  const size_t before = mallinfo2().uordblks;
  for (int32_t slot = 0; slot < course.slots; slot++) {
    course.offer(slot, course.fleet, slot);
    course.known(slot)->running = course.running[slot];
  }
  printf("%zu\n", mallinfo2().uordblks - before);
  fflush(stdout);

  const double clock = clock_seconds();
  char line[4096], path[4096];
  int32_t count;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "run %d", &count) == 1) {
      const int32_t end = std::min(course.step + count, course.steps);
      const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
      for (; course.step < end; course.step++) {
        course.apply_changes();
        course.decide();
      }
      printf("%.0f\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e9);
    } else if (sscanf(line, "sample %d %4000s", &count, path) == 2) {
      const int32_t end = std::min(course.step + count, course.steps);
      std::vector<double> taken;
      taken.reserve(end - course.step);
      for (; course.step < end; course.step++) {
        course.apply_changes();
        const double start = seconds(CLOCK_MONOTONIC);
        course.decide();
        taken.push_back((seconds(CLOCK_MONOTONIC) - start - clock) * 1e9);
      }
      write(path, taken.data(), taken.size());
      puts("written");
    } else if (sscanf(line, "fills %4000s", path) == 1) {
      write(path, course.fills.data(), course.step);
      puts("written");
    } else {
      fprintf(stderr, "unknown command: %s", line);
      return 1;
    }
    fflush(stdout);
  }
}
