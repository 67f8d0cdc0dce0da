# An overlay port of a checkout: vcpkg install fanin --overlay-ports=packaging/vcpkg. A registry's port would take the sources of a
# release with vcpkg_from_github() here.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

string(COMPARE EQUAL "${VCPKG_LIBRARY_LINKAGE}" "dynamic" shared)
vcpkg_check_features(OUT_FEATURE_OPTIONS options FEATURES threads FANIN_THREADS)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS -DFANIN_BUILD_SHARED=${shared} ${options})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME fanin CONFIG_PATH lib/cmake/fanin)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
