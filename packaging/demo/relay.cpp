// SPDX-License-Identifier: MIT
//
// swapmq_relay CONFIG INPUT OUTPUT: an application that outlives its broker.
//
// Publishes every line of INPUT (a FIFO or a file) to the queue "tasks" and writes the body of
// every message that it consumes there to OUTPUT, in order, until INPUT ends and all is consumed.
//   SIGHUP   reads CONFIG again, and follows it to the backend that it names now. In strict order
//            (the config says so) it is consumed from as soon as what still stands on the one
//            before is consumed
//   SIGUSR1  holds the consumer;  SIGUSR2  lets it go on;  SIGINT, SIGTERM  end the program
// Each step is told by one line on standard output.
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <swapmq/swapmq.hpp>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr const char* kQueue = "tasks";
constexpr milliseconds kMoment{200};   // without a message: perhaps there is none
constexpr milliseconds kStall{60'000}; // the end of patience when nothing is consumed any more

/// So many messages in so much time.
struct Meter {
  std::uint64_t messages = 0;
  Clock::duration time{};

  friend std::ostream& operator<<(std::ostream& out, const Meter& meter) {
    const std::chrono::duration<double> seconds = meter.time;
    return out << meter.messages << " messages in " << std::fixed << std::setprecision(3)
               << seconds.count() << " s, " << std::setprecision(0)
               << static_cast<double>(meter.messages) / std::max(seconds.count(), 1e-6)
               << " a second";
  }
};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

/// What the handler does: writes one line at a time, unless it is held.
class Writer {
 public:
  explicit Writer(const char* path)
      : file_(::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666)) {
    if (file_ < 0) fail(std::string(path) + ": " + std::strerror(errno));
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { ::close(file_); }

  swapmq::Decision write(const swapmq::Delivery& delivery) {
    std::unique_lock lock(mutex_);
    while (held_) changed_.wait_for(lock, milliseconds(1000));
    line_.assign(delivery.body()).push_back('\n');
    for (std::string_view rest = line_; !rest.empty();) {
      const ssize_t done = ::write(file_, rest.data(), rest.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return swapmq::nack(milliseconds(1000), std::strerror(errno));
      rest.remove_prefix(static_cast<std::size_t>(done));
    }
    ++written_;
    last_ = Clock::now();
    return swapmq::ack(); // only now: a crash before this line delivers it again
  }
  void hold(bool held) {
    const std::scoped_lock lock(mutex_);
    held_ = held;
    if (!held) going_ = {written_, Clock::now()};
    changed_.notify_all();
  }
  [[nodiscard]] bool held() {
    const std::scoped_lock lock(mutex_);
    return held_;
  }
  [[nodiscard]] std::uint64_t written() const { return written_; }
  /// Whether it waits for messages, and none came for a moment.
  [[nodiscard]] bool waits() {
    const std::scoped_lock lock(mutex_);
    return !held_ && Clock::now() - last_ > kMoment;
  }
  /// What was written since it was last let go on.
  [[nodiscard]] Meter since_held() {
    const std::scoped_lock lock(mutex_);
    return {written_ - going_.first, Clock::now() - going_.second};
  }

 private:
  const int file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::pair<std::uint64_t, Clock::time_point> going_{0, Clock::now()};
  Clock::time_point last_ = Clock::now();
  std::string line_;
  std::atomic<std::uint64_t> written_{0};
};

class Relay {
 public:
  Relay(std::string config, Writer& writer)
      : config_(std::move(config)),
        writer_(writer),
        mq_(swapmq::MessageQueue::open(config_)),
        consumer_(
            mq_.consume(kQueue, {}, [this](const auto& d) { return writer_.write(d); }).value()) {
    std::cout << "opened " << active() << ", consuming from " << kQueue << std::endl;
  }

  /// The backend that is published to.
  [[nodiscard]] std::string active() const { return mq_.backend_name(); }
  [[nodiscard]] bool switching() const { return told_ != mq_.switch_status().number; }

  void publish(const std::vector<swapmq::Message>& lines) {
    const auto begin = Clock::now();
    for (const swapmq::Sent& sent : mq_.publish_many(kQueue, lines)) {
      if (!sent) fail(std::string(to_string(sent.outcome())) + ": " + sent.error().message());
    }
    Meter& meter = meters_[active()];
    meter.messages += lines.size();
    meter.time += Clock::now() - begin;
    published_ += lines.size();
    unreported_ = true;
  }
  void report_published() {
    if (unreported_) std::cout << "published " << published_ << " lines in all" << std::endl;
    unreported_ = false;
  }

  void report_rates() const {
    for (const auto& [name, meter] : meters_) {
      std::cout << "published to " << name << ": " << meter << std::endl;
    }
  }

  /// The config changed. One that is wrong changes nothing.
  void reload() {
    const auto reloaded = mq_.reload(config_);
    if (!reloaded) stays(reloaded.error());
  }

  /// Tells how the switch goes. False: none is under way, and nothing is left to consume.
  bool advance() {
    const swapmq::SwitchStatus status = mq_.switch_status();
    if (status.number == told_) return left() > 0 || !writer_.waits();
    if (status.phase == swapmq::SwitchPhase::drain) {
      tell_cut_over(status);
    } else if (status.phase == swapmq::SwitchPhase::retired) {
      tell_cut_over(status);
      std::cout << "drained " << name_of(status, status.from) << " (" << writer_.since_held()
                << "), consuming from " << active() << std::endl;
      told_ = status.number;
    } else if (status.phase == swapmq::SwitchPhase::failed ||
               status.phase == swapmq::SwitchPhase::refused) {
      stays(status.error);
      told_ = status.number;
    }
    return true;
  }

  /// Hands back what is not yet consumed; it is there for the next start.
  void stop_consuming() {
    if (const swapmq::Error error = consumer_.close()) fail(error.message());
  }

 private:
  void stays(const swapmq::Error& error) const {
    std::cout << "stays with " << active() << ": " << error.message() << std::endl;
  }
  /// On all backends that are still consumed from.
  std::uint64_t left() {
    const swapmq::QueueStats stats = mq_.stats(kQueue).value();
    return stats.ready + stats.unacked + stats.delayed + consumer_.in_flight();
  }
  static std::string name_of(const swapmq::SwitchStatus& status, const std::string& key) {
    for (const swapmq::BackendStatus& one : status.backends) {
      if (one.key == key) return one.name;
    }
    return key;
  }
  /// Once it was looked how much lies on the backend that was left.
  void tell_cut_over(const swapmq::SwitchStatus& status) {
    std::uint64_t ready = 0, unacked = 0, delayed = 0;
    for (const swapmq::BackendStatus& one : status.backends) {
      ready += one.owed ? one.ready : 0;
      unacked += one.owed ? one.unacked : 0;
      delayed += one.owed ? one.delayed : 0;
    }
    const bool looked = ready + unacked > 0 || status.phase == swapmq::SwitchPhase::retired;
    if (!looked || std::exchange(told_cut_over_, status.number) == status.number) return;
    std::cout << "switched from " << name_of(status, status.from) << " to " << active()
              << ", leaving " << ready + unacked + delayed << " messages to drain (" << ready
              << " ready, " << unacked << " unacked)" << std::endl;
  }

  const std::string config_;
  Writer& writer_;
  swapmq::MessageQueue mq_;
  swapmq::Consumer consumer_;
  std::map<std::string, Meter> meters_;        // of publishing, by backend
  std::string from_;                           // that was left last
  std::uint64_t told_ = 0, told_cut_over_ = 0; // numbers of switches
  std::uint64_t published_ = 0;
  bool unreported_ = false;
};

/// Cuts what is read into lines; the views live until the next read.
class Lines {
 public:
  explicit Lines(const char* path) : file_(::open(path, O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) fail(std::string(path) + ": " + std::strerror(errno));
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { ::close(file_); }

  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] bool ended() const { return ended_; }

  std::vector<swapmq::Message> read() {
    buffer_.erase(0, used_);
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + 65'536);
    const ssize_t got = ::read(file_, buffer_.data() + kept, buffer_.size() - kept);
    buffer_.resize(kept + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got < 0 && errno != EINTR) fail(std::string("cannot read the input: ") + strerror(errno));
    ended_ = got == 0;
    std::vector<swapmq::Message> lines;
    used_ = 0;
    for (std::size_t end; (end = buffer_.find('\n', used_)) != std::string::npos; used_ = end + 1) {
      lines.push_back({.body = std::string_view(buffer_).substr(used_, end - used_)});
    }
    if (ended_ && used_ < buffer_.size()) {
      lines.push_back({.body = std::string_view(buffer_).substr(used_)});
      used_ = buffer_.size();
    }
    return lines;
  }

 private:
  const int file_;
  std::string buffer_;
  std::size_t used_ = 0;
  bool ended_ = false;
};

/// The signals of this program, read like a file. Made before any thread, so that all inherit it.
int signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGTERM}) sigaddset(&set, number);
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) fail("cannot block signals");
  const int file = signalfd(-1, &set, SFD_CLOEXEC);
  if (file < 0) fail("cannot wait for signals");
  return file;
}

/// False: the program shall end.
bool obey(int number, Relay& relay, Writer& writer) {
  if (number == SIGINT || number == SIGTERM) return false;
  if (number == SIGHUP) {
    relay.reload();
    return true;
  }
  writer.hold(number == SIGUSR1);
  std::cout << (number == SIGUSR1 ? "holding the consumer" : "consuming again") << std::endl;
  return true;
}

int run(char** argv) {
  const int told = signals();
  Lines lines(argv[2]);
  Writer writer(argv[3]);
  Relay relay(argv[1], writer);
  std::uint64_t seen = 0;
  for (auto progress = Clock::now();;) {
    const bool idle = !lines.ended() && !relay.switching();
    std::array<pollfd, 2> waits{
        {{told, POLLIN, 0}, {lines.ended() ? -1 : lines.file(), POLLIN, 0}}};
    int ready = ::poll(waits.data(), waits.size(), 0);
    if (ready == 0) { // nothing to read just now: time to tell, and to wait a little
      relay.report_published();
      ready = ::poll(waits.data(), waits.size(), idle ? 1000 : 5);
    }
    if (waits[0].revents != 0) {
      signalfd_siginfo signal{};
      const bool got = ::read(told, &signal, sizeof signal) == sizeof signal;
      if (got && !obey(static_cast<int>(signal.ssi_signo), relay, writer)) {
        writer.hold(false);
        relay.stop_consuming();
        return 130;
      }
    }
    if (waits[1].revents != 0) {
      if (const auto read = lines.read(); !read.empty()) relay.publish(read);
      if (lines.ended()) writer.hold(false);
    }
    if (idle || writer.held() || seen != writer.written()) progress = Clock::now();
    seen = writer.written();
    if (Clock::now() - progress > kStall) fail("nothing was consumed for a minute");
    if (!idle && !relay.advance() && lines.ended()) break;
  }
  relay.report_published();
  relay.stop_consuming();
  relay.report_rates();
  std::cout << "wrote " << writer.written() << " lines, nothing left" << std::endl;
  return 0;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: swapmq_relay CONFIG INPUT OUTPUT\n";
    return 2;
  }
  return run(argv);
} catch (const std::exception& problem) {
  std::cerr << "swapmq_relay: " << problem.what() << '\n';
  return 1;
}
