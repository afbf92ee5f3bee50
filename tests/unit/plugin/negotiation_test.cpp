// SPDX-License-Identifier: MIT
#include "plugin/negotiation.h"

#include "support.h"

namespace swapmq::plugin {
namespace {

struct Refused {
  const char* plugin;
  const char* text;
};

class Negotiation : public ::testing::TestWithParam<Refused> {};

TEST_P(Negotiation, RefusesByName) {
  const std::string path = fixture(GetParam().plugin);
  const auto loaded = Plugin::load(by_path(path));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Errc::plugin);
  EXPECT_THAT(loaded.error().message(), AllOf(HasSubstr(path), HasSubstr(GetParam().text)));
}

INSTANTIATE_TEST_SUITE_P(
    Plugins, Negotiation,
    ::testing::Values(
        Refused{"newer_major", "built for ABI 1.4, this host speaks 0.2"},
        Refused{"newer_major_alien", "built for ABI 2.0, this host speaks 0.2"},
        Refused{"refuses", "does not serve this host's ABI 0.2: the moon is not right"},
        Refused{"refuses_silently", "its entry returned NULL and gave no reason"},
        Refused{"short_vtable", "its vtable has a struct_size of 48 bytes, ABI 0.0 has 144"},
        Refused{"lacks_publish", "lacks the mandatory function \"publish\""},
        Refused{"no_info", "its vtable has no plugin info"},
        Refused{"short_info", "its plugin info has a struct_size of 16 bytes, needed are 64"},
        Refused{"other_name", "its name is \"somebody_else\", its file's name says \"other_name\""},
        Refused{"null_name", "\"name\" in its plugin info is NULL"},
        Refused{"null_license", "\"license\" in its plugin info is NULL"},
        Refused{"empty_license", "\"license\" in its plugin info is empty"},
        Refused{"garbled_version", "\"version\" in its plugin info is not valid UTF-8"},
        Refused{"null_schema", "\"options_schema\" in its plugin info is NULL"},
        Refused{"schema_no_json", "\"options_schema\" in its plugin info is not JSON"},
        Refused{"schema_no_object", "\"options_schema\" in its plugin info is not a JSON object"},
        Refused{"null_capabilities", "its plugin info has no capabilities"},
        Refused{"null_limits", "its plugin info has no limits"},
        Refused{"unknown_grade", "its capability \"purge\" has the unknown grade 3"},
        Refused{"negative_delay", "its limit \"max_delay_ms\" is negative"},
        Refused{"empty_alphabet", "its limit \"queue_name_alphabet\" allows no name"}),
    [](const auto& given) { return std::string(given.param.plugin); });

TEST(Negotiate, AnOldPluginGetsStubsForWhatItLacks) {
  const auto plugin = Plugin::load(by_path(fixture("old_abi"))).value();
  EXPECT_EQ(plugin->description().abi_version, "0.0");
  EXPECT_EQ(plugin->vtable().struct_size, sizeof(swapmq_backend_vtable));
  // What lies behind its vtable would abort.
  EXPECT_EQ(plugin->vtable().extension(SWAPMQ_EXTENSION_LIST_QUEUES), nullptr);
  const auto sink = std::make_shared<RecordingSink>();
  const auto backend = Backend::open(plugin, sink, {"{}", "test", soon()}).value();
  EXPECT_EQ(backend->limits().max_delay_ms, 1000);
  const auto session = backend->open_session(SWAPMQ_ROLE_ADMIN, soon()).value();
  EXPECT_FALSE(session->ping(soon()));
  EXPECT_EQ(session->list_queues([](std::string_view) {}, soon()).code(), Errc::not_supported);
  EXPECT_FALSE(session->can_claim_delayed());
}

TEST(Negotiate, ALaterMinorIsCutToWhatWeKnow) {
  const auto plugin = Plugin::load(by_path(fixture("newer_minor"))).value();
  EXPECT_EQ(plugin->description().abi_version, "0.7");
  EXPECT_EQ(plugin->vtable().struct_size, sizeof(swapmq_backend_vtable));
  const auto sink = std::make_shared<RecordingSink>();
  EXPECT_TRUE(Backend::open(plugin, sink, {"{}", "test", soon()}));
}

// ---- hosts of other versions
// ---------------------------------------------------------------------

std::uint32_t asked_abi = 0;

const swapmq_backend_vtable* entry_of_plain(std::uint32_t host_abi, swapmq_error*) {
  asked_abi = host_abi;
  static swapmq_backend_vtable vtable;
  vtable = Plugin::load(by_path(fixture("plain"))).value()->vtable();
  vtable.abi_version = SWAPMQ_ABI_MAKE(0, 3);
  return &vtable;
}

TEST(Negotiate, TheEntryIsToldTheHostsVersion) {
  EXPECT_TRUE(negotiate(&entry_of_plain, "plain"));
  EXPECT_EQ(asked_abi, SWAPMQ_ABI_VERSION);
}

TEST(Negotiate, APluginOlderThanTheOldestIsRefusedWithAllNumbers) {
  const HostAbi later{SWAPMQ_ABI_MAKE(0, 9), SWAPMQ_ABI_MAKE(0, 4)};
  const auto refused = negotiate(&entry_of_plain, "plain", later);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("built for ABI 0.3"), HasSubstr("this host speaks 0.9"),
                    HasSubstr("back to 0.4"), HasSubstr("build the plugin anew")));
  const HostAbi major{SWAPMQ_ABI_MAKE(1, 0), SWAPMQ_ABI_MAKE(1, 0)};
  EXPECT_THAT(negotiate(&entry_of_plain, "plain", major).error().message(),
              AllOf(HasSubstr("built for ABI 0.3"), HasSubstr("this host speaks 1.0")));
}

TEST(Negotiate, EveryGradeIsChecked) {
  swapmq_capabilities good{};
  good.durability = SWAPMQ_DURABILITY_REPLICATED;
  good.ordering = SWAPMQ_ORDERING_KEY;
  good.sharing = SWAPMQ_SHARING_NETWORK;
  EXPECT_EQ(wrong_capabilities(good), "");
  constexpr std::int32_t swapmq_capabilities::*kAll[] = {
      &swapmq_capabilities::durability,   &swapmq_capabilities::ordering,
      &swapmq_capabilities::sharing,      &swapmq_capabilities::delayed_publish,
      &swapmq_capabilities::delayed_nack, &swapmq_capabilities::ttl,
      &swapmq_capabilities::priority,     &swapmq_capabilities::release,
      &swapmq_capabilities::dead_letter,  &swapmq_capabilities::deduplication,
      &swapmq_capabilities::purge,        &swapmq_capabilities::counts_crashes,
      &swapmq_capabilities::max_length};
  for (const auto member : kAll) {
    for (const std::int32_t value : {-1, 4, 1 << 30}) {
      swapmq_capabilities bad = good;
      bad.*member = value;
      EXPECT_THAT(wrong_capabilities(bad), HasSubstr("unknown grade " + std::to_string(value)));
    }
  }
}

TEST(Negotiate, WordsForPeople) {
  swapmq_capabilities capabilities{};
  capabilities.durability = SWAPMQ_DURABILITY_POWER;
  capabilities.ordering = SWAPMQ_ORDERING_QUEUE;
  capabilities.sharing = SWAPMQ_SHARING_MACHINE;
  capabilities.ttl = SWAPMQ_EMULATED;
  swapmq_limits limits{};
  limits.max_body_bytes = 16;
  std::string all;
  for (const auto& [name, grade] : capability_words(capabilities, limits)) {
    all += name + "=" + grade + " ";
  }
  EXPECT_EQ(
      all,
      "durability=power ordering=queue sharing=machine delayed_publish=absent "
      "delayed_nack=absent ttl=emulated priority=absent release=absent dead_letter=absent "
      "deduplication=absent purge=absent counts_crashes=absent max_length=absent groups=emulated ");
  limits.queue_name_alphabet = "abc.";
  EXPECT_EQ(capability_words(capabilities, limits).back().grade, "absent");
  EXPECT_THAT(limit_values(limits), Contains(::testing::Field(&LimitValue::value, 16U)));
}

} // namespace
} // namespace swapmq::plugin
