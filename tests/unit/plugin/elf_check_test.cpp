// SPDX-License-Identifier: MIT
#include "plugin/elf_check.h"

#include <elf.h>

#include <cstddef>
#include <cstring>

#include "support.h"

namespace swapmq::plugin {
namespace {

std::string why(const std::string& bytes) {
  return why_not_loadable(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

/// The bytes of a good plugin with one number of the ELF header replaced.
template <class T>
std::string patched(std::size_t offset, T value) {
  std::string bytes = read_bytes(fixture("plain"));
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

TEST(ElfCheck, TakesAPlugin) { EXPECT_EQ(why(read_bytes(fixture("plain"))), ""); }

TEST(ElfCheck, WhatIsNoElfFile) {
  EXPECT_THAT(why(""), HasSubstr("it is empty"));
  EXPECT_THAT(why("#!/bin/sh\necho I am a script\n"), HasSubstr("not an ELF file"));
  EXPECT_THAT(why(std::string(4096, '\0')), HasSubstr("not an ELF file"));
  EXPECT_THAT(why("\x7f"), HasSubstr("not an ELF file"));
}

TEST(ElfCheck, AnotherMachineIsNamedBesideOurs) {
  const std::string bytes = read_bytes(fixture("plain"));
  Elf64_Half own = 0;
  std::memcpy(&own, bytes.data() + offsetof(Elf64_Ehdr, e_machine), sizeof own);
  const Elf64_Half other = own == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  const std::string other_name = own == EM_AARCH64 ? "x86-64" : "AArch64";
  const std::string text = why(patched(offsetof(Elf64_Ehdr, e_machine), other));
  EXPECT_THAT(text, AllOf(HasSubstr("it is built for " + other_name),
                          HasSubstr("this program for "), HasSubstr("build it for this machine")));
  EXPECT_THAT(why(patched<Elf64_Half>(offsetof(Elf64_Ehdr, e_machine), 4711)),
              HasSubstr("machine 4711"));
}

TEST(ElfCheck, AnotherClassOrByteOrder) {
  EXPECT_THAT(why(patched<unsigned char>(EI_CLASS, ELFCLASS32)),
              AllOf(HasSubstr("it is 32-bit"), HasSubstr("64-bit")));
  EXPECT_THAT(why(patched<unsigned char>(EI_CLASS, 77)), HasSubstr("of class 77"));
  EXPECT_THAT(why(patched<unsigned char>(EI_DATA, ELFDATA2MSB)), HasSubstr("byte order"));
}

TEST(ElfCheck, WhatIsNotASharedObject) {
  constexpr std::size_t kType = offsetof(Elf64_Ehdr, e_type);
  EXPECT_THAT(why(patched<Elf64_Half>(kType, ET_EXEC)), HasSubstr("a program, not a shared"));
  EXPECT_THAT(why(patched<Elf64_Half>(kType, ET_REL)), HasSubstr("an object file (.o)"));
  EXPECT_THAT(why(patched<Elf64_Half>(kType, ET_CORE)), HasSubstr("a core dump"));
  EXPECT_THAT(why(patched<Elf64_Half>(offsetof(Elf64_Ehdr, e_phnum), 0)),
              HasSubstr("not a shared object"));
}

TEST(ElfCheck, NumbersBeyondTheFile) {
  for (const Elf64_Off far : {Elf64_Off{1} << 20, Elf64_Off{1} << 63, ~Elf64_Off{0}}) {
    EXPECT_THAT(why(patched(offsetof(Elf64_Ehdr, e_phoff), far)), HasSubstr("truncated"));
    EXPECT_THAT(why(patched(offsetof(Elf64_Ehdr, e_shoff), far)), HasSubstr("truncated"));
    EXPECT_THAT(why(patched(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset), far)),
                HasSubstr("truncated"));
    EXPECT_THAT(why(patched(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), far)),
                HasSubstr("truncated"));
  }
}

TEST(ElfCheck, EveryTruncationIsSeen) {
  const std::string bytes = read_bytes(fixture("plain"));
  for (std::size_t size = 4; size < bytes.size(); size += size < 128 ? 1 : 509) {
    EXPECT_THAT(why(bytes.substr(0, size)), HasSubstr("truncated")) << size;
  }
  EXPECT_THAT(why(bytes.substr(0, bytes.size() - 1)), HasSubstr("truncated"));
}

TEST(ElfCheck, WhatDoesNotMentionTheEntryIsNotEvenMapped) {
  EXPECT_THAT(why(read_bytes(fixture("no_entry"))), HasSubstr("does not export"));
}

} // namespace
} // namespace swapmq::plugin
