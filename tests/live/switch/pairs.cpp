// SPDX-License-Identifier: MIT
//
// switch_pairs: a host is switched under load, between each two backends, with everything present
// at the cut-over that could be lost: a backlog, deliveries in the hands of consumers, publishes
// under way, delayed messages and dead letters. Prints what became of every message. What becomes
// of the backlog, and the order, take turns with the pairs; with SWAPMQ_LONG set each pair has all
// of them, and ten times as many messages.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "load.hpp"
#include "scenario.hpp"

namespace switch_test {
namespace {

bool long_run() { return std::getenv("SWAPMQ_LONG") != nullptr; }

constexpr int delayed = 200;
constexpr int poison = 100;
constexpr int backlog = 1000;
constexpr milliseconds put_off(4000);
std::uint64_t to_publish() { return long_run() ? 200'000 : 20'000; }
bool come_to(const std::function<bool()>& condition) {
  return await(condition, long_run() ? 10 * patience : patience);
}

struct Case {
  std::string from, to, policy, order;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.from << " to " << one.to << ", " << one.policy << ", " << one.order;
}

class SwitchPairs : public Scenario, public testing::WithParamInterface<Case> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to, policy_ = GetParam().policy;

  SwitchPairs() { set_lease(milliseconds(30'000)); } // however slow the machine is at times

  void begin() {
    host_ = start("host", from_);
    first_ = host_->recorder("first");
    publish_first("bad", poison, "0 100 poison");
    publish_first("backlog", backlog, "0 100");
    load_ = std::make_unique<Load>(*host_, "ack", 256);
    load_->publish(std::chrono::microseconds(2000), 16);
  }
  void publish_first(const std::string& prefix, int count, const std::string& how) {
    first_->tell("publish tasks " + prefix + " " + std::to_string(count) + " " + how);
    first_->tell("halt");
  }
  /// Half of all is published; some of it was handled, some is held, some is ready.
  void reach_the_middle() {
    ASSERT_TRUE(come_to([this] {
      dead_ = stats("tasks.dead").ready;
      return load_->all_handled() >= backlog && dead_ >= poison;
    })) << dead_
        << " dead letters";
    load_->hold();
    ASSERT_TRUE(come_to([this] { return load_->all_published() >= to_publish() / 2; }));
    publish_first("later", delayed, std::to_string(put_off.count()) + " 100");
    first_->end();
    at_cut_over_ = stats("tasks");
    const Books books = this->books();
    if (at_cut_over_.unacked < 0) at_cut_over_.unacked = static_cast<long>(books.count("held"));
    if (at_cut_over_.delayed < 0) at_cut_over_.delayed = not_due_yet(books);
    EXPECT_GT(at_cut_over_.ready, 0);
    EXPECT_GT(at_cut_over_.unacked, 0);
    EXPECT_GT(at_cut_over_.delayed, 0);
    before_ = load_->published();
  }
  static long not_due_yet(const Books& books) {
    long waiting = 0;
    for (int n = 0; n < delayed; ++n) {
      const std::string id = "later-" + std::to_string(n);
      waiting += books.times("ok", id) > 0 && books.times("held", id) + books.times("got", id) == 0;
    }
    return waiting;
  }
  void switch_over() {
    const auto asked = Clock::now();
    host_->switch_to(to_, policy_ + " " + GetParam().order);
    load_->release();
    EXPECT_TRUE(come_to([this] {
      const auto now = load_->published();
      return load_->all_published() >= to_publish() &&
             std::equal(now.begin(), now.end(), before_.begin(), std::greater<>());
    })) << "not every publisher goes on";
    load_->halt();
    EXPECT_TRUE(come_to([this] { return host_->has_retired(from_); })) << host_->state().phase;
    until_retired_ = std::chrono::duration_cast<milliseconds>(Clock::now() - asked);
    expect_what_stays();
  }
  /// Of the backend that was left: what its policy says.
  void expect_what_stays() {
    const BackendState was = host_->state().backends[from_];
    moved_ = was.moved;
    named_ = was.left;
    if (policy_ == "transfer") {
      EXPECT_EQ(was.left, 0U);
      EXPECT_GE(was.moved, static_cast<std::uint64_t>(dead_));
      EXPECT_EQ(stats("tasks.dead").ready, dead_) << "the dead letters are moved";
      return;
    }
    EXPECT_EQ(was.moved, 0U);
    if (policy_ == "leave") return; // looked at below
    EXPECT_EQ(was.left, static_cast<std::uint64_t>(dead_)) << "the dead letters are named";
  }
  /// All that was published is handled, but for what was left, and the dead letters are taken.
  void end() {
    const std::uint64_t all = load_->all_published() + delayed + backlog;
    if (policy_ == "leave") {
      EXPECT_TRUE(come_to([&] {
        const Sizes new_side = stats("tasks");
        return std::max({new_side.ready, new_side.unacked, new_side.delayed}) <= 0;
      }));
    } else {
      EXPECT_TRUE(come_to([&] { return load_->all_handled() >= all; }));
      host_->tell("consume tasks.dead take 16 1");
      EXPECT_TRUE(come_to([this] { return books().count("dead") == poison; }));
      EXPECT_TRUE(come_to([this] { return books().missing().empty(); }));
    }
    longest_gap_ = load_->longest_gap();
    may_be_twice_ = std::stoull(host_->tell("may_be_twice"));
    load_->end();
    host_->end();
    if (policy_ == "leave") take_what_was_left();
  }
  void take_what_was_left() {
    const std::size_t before = books().count("got");
    host_ = start("successor", from_);
    host_->tell("consume tasks ack 256 8");
    host_->tell("consume tasks.dead take 16 1");
    EXPECT_TRUE(come_to([this] { return books().missing().empty(); })) << books().summary();
    const Books books = this->books();
    left_ = books.count("got") - before;
    // What came twice may have been counted as lying there as well.
    EXPECT_GE(left_ + books.twice().size(), named_) << "what is named as left was not all there";
    EXPECT_GT(left_, static_cast<std::size_t>(poison));
  }
  void print(const Books& books) const {
    std::printf(
        "%-12s -> %-12s %-8s %-7s %6zu confirmed, %zu lost, %zu twice, %zu in doubt; at the "
        "cut-over %ld ready, %ld unacked, %ld delayed, %ld dead; %llu moved, %zu left; longest gap "
        "%lld ms, retired after %lld ms\n",
        from_.c_str(), to_.c_str(), policy_.c_str(), GetParam().order.c_str(), books.count("ok"),
        books.missing().size(), books.twice().size(), books.count("doubt") + books.open().size(),
        at_cut_over_.ready, at_cut_over_.unacked, at_cut_over_.delayed, dead_,
        static_cast<unsigned long long>(moved_), left_,
        static_cast<long long>(longest_gap_.count()),
        static_cast<long long>(until_retired_.count()));
  }

  struct Sizes {
    long ready = 0, unacked = 0, delayed = 0; ///< -1: the backend does not say
  };
  Sizes stats(const std::string& queue) {
    std::istringstream words(host_->tell("stats " + queue));
    Sizes sizes;
    words >> sizes.ready >> sizes.unacked >> sizes.delayed;
    return sizes;
  }

  std::unique_ptr<Host> host_;
  std::unique_ptr<Recorder> first_;
  std::unique_ptr<Load> load_;
  std::vector<std::uint64_t> before_;
  Sizes at_cut_over_;
  long dead_ = 0; // letters; one may be there twice
  std::uint64_t moved_ = 0, named_ = 0, may_be_twice_ = 0;
  std::size_t left_ = 0;
  milliseconds until_retired_{0}, longest_gap_{0};
};

TEST_P(SwitchPairs, LoseNothing) {
  begin();
  reach_the_middle();
  if (HasFatalFailure()) return;
  switch_over();
  end();
  const Books books = this->books();
  print(books);
  EXPECT_GE(books.count("ok"), to_publish() + delayed + backlog + poison);
  EXPECT_EQ(books.count("fail"), 0U);
  EXPECT_LE(books.twice().size(), may_be_twice_)
      << "more than was in doubt or unsettled at the end of a connection";
  expect_all_settled(books.twice());
}

/// The memory backend's messages go with it: they cannot be left alone.
std::vector<std::pair<std::string, std::string>> ways(const std::string& from) {
  std::vector<std::pair<std::string, std::string>> all{
      {"transfer", "relaxed"}, {"drain", "strict"}, {"drain", "relaxed"}};
  if (from == "memory") return all;
  all[2] = {"leave", "relaxed"};
  if (long_run()) {
    all.emplace_back("drain", "relaxed");
    all.emplace_back("leave", "strict");
  }
  return all;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  std::size_t turn = 0;
  for (const char* from : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
    for (const char* to : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
      if (std::string(from) == to) continue;
      const auto all = ways(from);
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!long_run() && i != turn % all.size()) continue;
        cases.push_back({from, to, all[i].first, all[i].second});
      }
      ++turn;
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, SwitchPairs, testing::ValuesIn(all_cases()), [](const auto& one) {
  return one.param.from + "_to_" + one.param.to + "_" + one.param.policy + "_" + one.param.order;
});

} // namespace
} // namespace switch_test
