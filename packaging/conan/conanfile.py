"""Conan 2 recipe: ``conan create packaging/conan`` in a checkout, or with the sources of a release."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class FaninConan(ConanFile):
    name = "fanin"
    description = "Weight sampling, dense layers and per-layer statistics, bit-for-bit reproducible"
    license = "BSD-3-Clause"
    topics = ("neural-networks", "random", "reproducible")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "threads": [True, False]}
    default_options = {"shared": False, "fPIC": True, "threads": True}
    implements = ["auto_shared_fpic"]

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "cpp", "include", "fanin", "version.hpp"))
        self.version = re.search(r'FANIN_VERSION "([0-9.]+)"', header)[1]

    def export_sources(self):
        for folder in ("cpp", "cmake"):
            copy(self, "*", os.path.join(self._root, folder), os.path.join(self.export_sources_folder, folder))
        for file in ("CMakeLists.txt", "LICENSE"):
            copy(self, file, self._root, self.export_sources_folder)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["FANIN_BUILD_SHARED"] = bool(self.options.shared)
        toolchain.cache_variables["FANIN_THREADS"] = bool(self.options.threads)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # fanin's own package is used
        self.cpp_info.builddirs = ["lib/cmake/fanin"]
        self.cpp_info.libs = ["fanin"]
        if self.options.shared:
            self.cpp_info.defines = ["FANIN_SHARED=1"]
        if self.settings.os == "Linux" and self.options.threads:
            self.cpp_info.system_libs = ["pthread"]
